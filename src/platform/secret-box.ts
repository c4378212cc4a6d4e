import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { DomainError } from './errors.ts'

const NONCE_BYTES = 12
const TAG_BYTES = 16
/** Begins every sealed text, so that a later format can be told from this one. */
const FORMAT = 'v1.'

/** What a secret belongs to. It is part of what is sealed: a sealed text that is copied to another row cannot be opened there. */
export interface SecretOwner {
  organizationId: string
  /** Table and column, and the ids of the row: `agent_secrets agent-… API_KEY`. */
  place: string
}

/**
 * Secrets as they lie in the database: AES-256-GCM with a random nonce, under a key that the database does not have (HKDF-SHA256 of
 * `PERDURE_ENCRYPTION_KEY`, or of the key file of an embedded database).
 */
export class SecretBox {
  readonly #key: Buffer | undefined

  /** @param keyText any text of 16 characters or more; undefined where there is none, then nothing can be sealed */
  constructor(keyText: string | undefined) {
    this.#key =
      keyText === undefined ? undefined : Buffer.from(hkdfSync('sha256', keyText, 'perdure', 'secrets at rest', 32))
  }

  /** Throws DomainError invalid_argument where the server has no key. */
  seal(plain: string, owner: SecretOwner): string {
    if (this.#key === undefined) {
      throw new DomainError(
        'invalid_argument',
        'INVALID_ARGUMENT: This server keeps no secrets, because it has no key to encrypt them with: set PERDURE_ENCRYPTION_KEY, the same on every replica, and start it again.',
      )
    }
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce).setAAD(ownerBytes(owner))
    const sealed = Buffer.concat([nonce, cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()])
    return FORMAT + sealed.toString('base64url')
  }

  /** Throws DomainError unavailable where the key is not the one it was sealed with. */
  open(sealed: string, owner: SecretOwner): string {
    const bytes = Buffer.from(sealed.slice(FORMAT.length), 'base64url')
    try {
      if (this.#key === undefined || !sealed.startsWith(FORMAT)) throw new Error('no key for this format')
      const nonce = bytes.subarray(0, NONCE_BYTES)
      const decipher = createDecipheriv('aes-256-gcm', this.#key, nonce).setAAD(ownerBytes(owner))
      decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
      const text = bytes.subarray(NONCE_BYTES, -TAG_BYTES)
      return Buffer.concat([decipher.update(text), decipher.final()]).toString('utf8')
    } catch (cause) {
      throw new DomainError(
        'unavailable',
        'A stored secret cannot be decrypted: PERDURE_ENCRYPTION_KEY is not the key that it was encrypted with.',
        { cause, canRetry: false },
      )
    }
  }
}

const ownerBytes = ({ organizationId, place }: SecretOwner): Buffer => Buffer.from(`${organizationId}\n${place}`)

import type { Config } from './config.ts'
import { ConfigError } from './config-error.ts'
import { OPTIONS, type Option } from './options.ts'

/** What no single setting can tell. Throws ConfigError. */
export function checkConfig(config: Config): void {
  const nameOf = (name: string) => config.sources[name] ?? name

  if (config.apiKey === undefined && !isLoopback(config.host)) {
    throw new ConfigError(
      `${nameOf('PERDURE_HOST')} is ${config.host}, which other machines can reach: set PERDURE_API_KEY to a secret of your choice, or listen on 127.0.0.1.`,
    )
  }
  if (config.apiKey !== undefined && !/^[\x21-\x7e]+$/.test(config.apiKey)) {
    throw new ConfigError(
      `${nameOf('PERDURE_API_KEY')} has a space or a character outside ASCII, which no Authorization header can carry.`,
    )
  }
  for (const name of ['PERDURE_DEFAULT_MODEL', 'PERDURE_DEFAULT_EMBEDDING'] as const) {
    const handle = name === 'PERDURE_DEFAULT_MODEL' ? config.defaultModel : config.defaultEmbedding
    if (handle !== undefined && !/^[^/\s]+\/\S+$/.test(handle)) {
      const example = name === 'PERDURE_DEFAULT_MODEL' ? 'openai/gpt-5-mini' : 'openai/text-embedding-3-small'
      const hint = handle === 'off' ? ' PERDURE_EMBEDDINGS=off switches embeddings off.' : ''
      throw new ConfigError(`${nameOf(name)} must be provider/model, such as ${example}; got "${handle}".${hint}`)
    }
  }
  checkWebhookSecrets(config)
  checkFileStorage(config)
  if (config.encryptionKey !== undefined && config.encryptionKey.length < 16) {
    throw new ConfigError(
      `${nameOf('PERDURE_ENCRYPTION_KEY')} is shorter than 16 characters. Make one with: openssl rand -base64 32.`,
    )
  }
  if (config.workers !== 1 && config.databaseUrl === undefined) {
    throw new ConfigError(
      `${nameOf('PERDURE_WORKERS')} asks for several processes, but the embedded database belongs to one: set PERDURE_DATABASE_URL to a PostgreSQL, or leave it at 1.`,
    )
  }
  checkEndpoints(config)
}

function checkFileStorage({
  fileStorage,
  fileStorageFolder,
  s3Bucket,
  s3AccessKeyId,
  s3SecretAccessKey,
}: Config): void {
  if (fileStorage === 'folder' && fileStorageFolder === undefined) {
    throw new ConfigError('PERDURE_FILE_STORAGE is folder: set PERDURE_FILE_STORAGE_FOLDER to the folder of uploads.')
  }
  if (fileStorage === 's3' && s3Bucket === undefined) {
    throw new ConfigError('PERDURE_FILE_STORAGE is s3: set PERDURE_S3_BUCKET to the name of the bucket.')
  }
  if ((s3AccessKeyId === undefined) !== (s3SecretAccessKey === undefined)) {
    const missing = s3AccessKeyId === undefined ? 'PERDURE_S3_ACCESS_KEY_ID' : 'PERDURE_S3_SECRET_ACCESS_KEY'
    throw new ConfigError(`${missing} is missing: set both keys of the bucket, or neither.`)
  }
}

function checkWebhookSecrets(config: Config): void {
  for (const secret of config.webhookSecret?.split(/\s+/) ?? []) {
    if (secret.startsWith('whsec_') && !/^whsec_(?:[A-Za-z0-9+/]{4}){4,}(?:[A-Za-z0-9+/]{2,3}={0,2})?$/.test(secret)) {
      throw new ConfigError(
        `${config.sources.PERDURE_WEBHOOK_SECRET ?? 'PERDURE_WEBHOOK_SECRET'} begins with whsec_, but base64 of 16 or more bytes does not follow (not shown, it is a secret). Make one with: echo "whsec_$(openssl rand -base64 32)".`,
      )
    }
  }
}

function checkEndpoints(config: Config): void {
  const taken = new Set(['perdure', 'letta'])
  for (const option of OPTIONS as readonly Option[]) if (option.provider !== undefined) taken.add(option.provider.name)
  for (const { name } of config.openaiCompatible) {
    if (taken.has(name)) {
      throw new ConfigError(
        `PERDURE_OPENAI_COMPATIBLE uses the name "${name}", which is taken by a provider or an earlier entry; choose another.`,
      )
    }
    taken.add(name)
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}

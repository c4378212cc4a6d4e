/** Code units of a text that are compared: what is the same so far is looked at by a person. */
export const COMPARED_CHARS = 1_000
/** Of the pieces that either has, the share that both have, from which on two texts are near-duplicates. */
const MIN_SIMILARITY = 0.75
/** Characters of a piece. */
const PIECE_CHARS = 5
const BINS = 32
/** Bins of one band: texts that agree in all bins of any band are compared. At a similarity of 0.8 two texts meet in 98 of 100 cases. */
const BAND_BINS = 4
/** Texts that one is compared with, at most, so that ten thousand of a kind take no time by their square. */
const MAX_COMPARED = 16

export interface NearDuplicate<Passage> {
  /** The earlier one first. */
  passages: [Passage, Passage]
  /** 0 to 1. */
  similarity: number
}

interface Known<Passage> {
  passage: Passage
  /** Hashes of its pieces, each once, in order. */
  pieces: Uint32Array
}

/** Letters and digits in lower case, everything else a blank: texts that differ in nothing else say the same. */
export const normalizeText = (text: string): string =>
  text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()

/**
 * Finds texts that are nearly the same, in time proportional to their number: by the least hash of the pieces of a text in each of some bins
 * (one-permutation MinHash, Li, Owen and Zhang 2012; empty bins borrow from the next one, Shrivastava and Li 2014), and by comparing the pieces
 * themselves of texts that agree there.
 */
export class NearDuplicateFinder<Passage> {
  readonly #bands = new Map<number, Known<Passage>[]>()

  /** The passage before it that it is most like, where one is near enough. `text` is its text, normalized. */
  add(passage: Passage, text: string): NearDuplicate<Passage> | undefined {
    const pieces = hashPieces(text)
    if (pieces.length === 0) return undefined
    const own: Known<Passage> = { passage, pieces }
    const candidates = new Set<Known<Passage>>()
    for (const band of bandsOf(pieces)) {
      const same = this.#bands.get(band) ?? []
      for (const known of same) if (candidates.size < MAX_COMPARED) candidates.add(known)
      if (same.length < MAX_COMPARED) this.#bands.set(band, [...same, own])
    }
    let best: NearDuplicate<Passage> | undefined
    for (const known of candidates) {
      const similarity = shareOf(pieces, known.pieces)
      const isBetter = similarity > (best?.similarity ?? 0)
      if (similarity >= MIN_SIMILARITY && isBetter) best = { passages: [known.passage, passage], similarity }
    }
    return best
  }
}

/** 32-bit FNV-1a of each piece, mixed so that its high bits are as good as its low ones. */
function hashPieces(text: string): Uint32Array {
  const hashes = new Uint32Array(Math.max(text.length - PIECE_CHARS + 1, 0))
  for (let at = 0; at < hashes.length; at += 1) {
    let hash = 0x811c9dc5
    for (let index = at; index < at + PIECE_CHARS; index += 1) {
      hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
    }
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
    hashes[at] = hash ^ (hash >>> 13)
  }
  hashes.sort()
  return hashes.filter((hash, index) => index === 0 || hash !== hashes[index - 1])
}

function bandsOf(hashes: Uint32Array): number[] {
  const bins = new Float64Array(BINS).fill(Number.POSITIVE_INFINITY)
  for (const hash of hashes) {
    const bin = hash % BINS
    if (hash < (bins[bin] ?? 0)) bins[bin] = hash
  }
  const full = bins.map((value, bin) => {
    for (let step = 0; step < BINS; step += 1) {
      const found = bins[(bin + step) % BINS] ?? Number.POSITIVE_INFINITY
      if (found !== Number.POSITIVE_INFINITY) return found + step
    }
    return value
  })
  return Array.from({ length: BINS / BAND_BINS }, (_, band) => {
    let key = band + 1
    for (let bin = band * BAND_BINS; bin < (band + 1) * BAND_BINS; bin += 1) {
      key = Math.imul(key ^ ((full[bin] ?? 0) >>> 0), 0x9e3779b1) ^ (key >>> 15)
    }
    return (key >>> 0) * (BINS / BAND_BINS) + band
  })
}

function shareOf(one: Uint32Array, other: Uint32Array): number {
  let both = 0
  for (let at = 0, otherAt = 0; at < one.length && otherAt < other.length; ) {
    const difference = (one[at] ?? 0) - (other[otherAt] ?? 0)
    if (difference === 0) both += 1
    if (difference <= 0) at += 1
    if (difference >= 0) otherAt += 1
  }
  return both / (one.length + other.length - both)
}

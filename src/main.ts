import { enableCompileCache } from 'node:module'

// Compiled code and stripped types are kept between starts: a start takes about a third less. Where the folder for it cannot
// be written, nothing is kept. It must be on before our modules are loaded, hence the import below.
enableCompileCache()

const { runProgram } = await import('#cli/program.ts')
process.exitCode = await runProgram(process.argv.slice(2))

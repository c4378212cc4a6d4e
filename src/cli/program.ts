import { Command, CommanderError } from 'commander'
import { ConfigError } from '#config/config-error.ts'
import { DomainError } from '#platform/errors.ts'
import { VERSION } from '#platform/version.ts'
import { registerChat } from './chat.ts'
import { registerConfig } from './config.ts'
import { registerDoctor } from './doctor.ts'
import { registerMigrate } from './migrate.ts'
import { registerServer } from './server.ts'

const FOOTER = `
Examples:
  perdure server                                        listen on http://127.0.0.1:8283, keep everything in ~/.perdure
  perdure server --port 9000 --data-dir ./data
  PERDURE_API_KEY=… perdure server --host 0.0.0.0       for other machines; the key is then required
  PERDURE_DATABASE_URL=postgresql://… perdure server    on PostgreSQL with pgvector
  OPENAI_API_KEY=… perdure server                       with the models of OpenAI
  perdure chat                                          talk to an agent of a running server
  perdure doctor                                        what is missing on this machine, and what to do

Every setting: perdure server --help, docs/configuration.md. How it works: README.md, ARCHITECTURE.md.`

/** Runs the command line and returns the exit code: 0 done, 1 failed, 2 called or configured wrongly. */
export async function runProgram(args: readonly string[]): Promise<number> {
  const program = buildProgram()
  try {
    if (args.length === 0) program.outputHelp()
    else await program.parseAsync(args, { from: 'user' })
    // a command that has found something wrong says so itself
    return Number(process.exitCode ?? 0)
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    process.stderr.write(`perdure: ${describe(error)}\n`)
    return error instanceof ConfigError ? 2 : 1
  }
}

/** All commands, one file each. */
export function buildProgram(): Command {
  const program = new Command('perdure')
    .description('A server for stateful LLM agents: memory they edit themselves, durable runs, the Letta V1 REST API.')
    .version(VERSION, '-v, --version')
    .addHelpText('after', FOOTER)
    .exitOverride()
    // commander puts its guess ("Did you mean …?") on a second line
    .configureOutput({
      outputError: (text, write) =>
        write(
          `${text
            .trim()
            .replace(/^error: /, 'perdure: ')
            .replace(/\s*\n\s*/g, ' ')}\n`,
        ),
    })
  registerServer(program)
  registerChat(program)
  registerMigrate(program)
  registerConfig(program)
  registerDoctor(program)
  return program
}

/** One line for what was foreseen, the stack for what was not. */
function describe(error: unknown): string {
  if (error instanceof ConfigError || error instanceof DomainError) return error.message
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

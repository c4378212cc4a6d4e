import type { Command } from 'commander'
import { type Config, loadConfig } from '#config/config.ts'

interface ChatFlags {
  agent?: string
  url?: string
  model?: string
  new?: true
  message?: string
}

const HELP = `
Examples:
  perdure chat                              go on with the last chat, or begin one
  perdure chat --new --model openai/gpt-5-mini
  perdure chat Ada                          an agent by its name or id
  echo "What do you know about me?" | perdure chat
  perdure chat -m "My name is Nils." > answer.txt

In a pipe each line is a message; --message - takes all of standard input as one. The answer goes to standard output, what
else is to be told to standard error. PERDURE_API_KEY is sent where it is set.`

/** `perdure chat`: talks to an agent of a running server over its API, as any other client would. */
export function registerChat(program: Command): void {
  program
    .command('chat')
    .description('talk to an agent of a running server')
    .argument('[agent]', 'id or name of the agent; without one, the agent of the last chat')
    .option('--agent <id or name>', 'the same as the argument')
    .option('--url <url>', 'address of the server [PERDURE_BASE_URL, default http://127.0.0.1:8283]')
    .option('--model <handle>', 'model that answers, such as openai/gpt-5-mini [PERDURE_DEFAULT_MODEL for a new agent]')
    .option('--new', 'begin with a new agent, which remembers nothing')
    .option('-m, --message <text>', 'say this, print the answer and end')
    .addHelpText('after', HELP)
    .action(async (agent: string | undefined, flags: ChatFlags) => {
      const config = loadConfig()
      // loaded only now: `--help` and a wrong setting answer at once
      const { runChat, terminal } = await import('./chat/run-chat.ts')
      await runChat(
        {
          url: flags.url ?? addressOf(config),
          apiKey: config.apiKey,
          defaultModel: config.defaultModel,
          agent: agent ?? flags.agent,
          model: flags.model,
          isNew: flags.new ?? false,
          message: flags.message,
        },
        terminal,
      )
    })
}

/** Where the server of the same settings listens, unless another is named. */
function addressOf({ baseUrl, port, sources }: Config): string {
  return sources.PERDURE_BASE_URL === undefined && sources.PERDURE_PORT !== undefined
    ? `http://127.0.0.1:${port}`
    : baseUrl
}

import { text as readAll } from 'node:stream/consumers'
import { intro, outro } from '@clack/prompts'
import { DomainError, invalidArgument } from '#platform/errors.ts'
import { VERSION } from '#platform/version.ts'
import { createApi } from './api.ts'
import { type Chosen, changeModel, createChatAgent, findAgent, openAgent } from './choose-agent.ts'
import { adviseOnModel, chooseModel, listHandles } from './choose-model.ts'
import { LineInput } from './line-input.ts'
import { isCommand, runCommand } from './run-command.ts'
import { type ChatStreams, Screen } from './screen.ts'
import { showTurn, type TurnContext } from './show-turn.ts'

export interface ChatOptions {
  url: string
  apiKey: string | undefined
  /** Of new agents, unless `model` is named. */
  defaultModel: string | undefined
  /** Id or name; undefined for the agent of the last chat. */
  agent: string | undefined
  model: string | undefined
  isNew: boolean
  /** Said instead of what standard input has; `-` is all of standard input. */
  message: string | undefined
}

/** The terminal that this process runs in. */
export const terminal: ChatStreams = {
  input: process.stdin,
  output: process.stdout,
  errors: process.stderr,
  onInterrupt(listener) {
    process.on('SIGINT', listener)
    return () => process.off('SIGINT', listener)
  },
}

/** Talks until the user leaves or the input ends. Throws DomainError; on a terminal only before the first prompt. */
export async function runChat(options: ChatOptions, streams: ChatStreams): Promise<void> {
  using screen = new Screen(streams)
  const message = options.message === '-' ? await readAll(streams.input) : options.message
  if (message?.trim() === '') throw invalidArgument('--message is empty: there is nothing to say.')
  const api = createApi(options)
  const handles = await listHandles(api)
  const { agent, isNew } = await chooseAgent(options, api, handles)
  using input = new LineInput(streams)
  const context: TurnContext = { api, screen, input, agent }

  if (screen.isLively) intro(`Perdure ${VERSION}`, { output: screen.frame, withGuide: false })
  screen.note(`${isNew ? 'New agent' : 'Agent'} ${agent.name} (${agent.id}), model ${agent.model}`, 'dim')
  const advice = adviseOnModel(agent.model, handles)
  if (advice !== undefined) screen.note(advice, 'yellow')

  if (message !== undefined) {
    if (!(await showTurn(context, message))) throw cancelled()
    return
  }
  if (input.isTerminal) screen.note('/help lists the commands, Ctrl-D leaves.', 'dim')
  await converse(context)
  if (screen.isLively)
    outro('The agent stays: perdure chat goes on with it.', { output: screen.frame, withGuide: false })
}

async function converse(context: TurnContext): Promise<void> {
  const { screen, input } = context
  for (;;) {
    if (input.isTerminal) screen.note('')
    const line = (await input.next('› '))?.trim()
    if (line === undefined) return
    if (line === '') continue
    if (!input.isTerminal && screen.isLively) screen.note(`› ${line}`, 'cyan')
    try {
      if (isCommand(line)) {
        if ((await runCommand(context, line)) === 'quit') return
      } else if (!(await showTurn(context, line)) && !input.isTerminal) throw cancelled()
    } catch (error) {
      // in a script what follows may depend on what failed
      if (!input.isTerminal || !(error instanceof DomainError)) throw error
      screen.note(error.message, 'red')
    }
  }
}

async function chooseAgent(
  options: ChatOptions,
  api: ReturnType<typeof createApi>,
  handles: readonly string[],
): Promise<Chosen> {
  const model = options.model ?? options.defaultModel
  if (options.isNew) {
    if (options.agent !== undefined) throw invalidArgument('--new makes an agent; leave out which one to talk to.')
    return { agent: await createChatAgent(api, chooseModel(model, handles)), isNew: true }
  }
  const chosen =
    options.agent === undefined
      ? await openAgent(api, model, handles)
      : { agent: await findAgent(api, options.agent), isNew: false }
  if (options.model === undefined || options.model === chosen.agent.model) return chosen
  return { ...chosen, agent: await changeModel(api, chosen.agent, options.model) }
}

const cancelled = (): DomainError => new DomainError('conflict', 'The turn was cancelled.')

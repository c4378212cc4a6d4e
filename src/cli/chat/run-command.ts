import { changeModel, createChatAgent } from './choose-agent.ts'
import { chooseModel, listHandles } from './choose-model.ts'
import { readBlocks, showBlocks } from './show-memory.ts'
import type { TurnContext } from './show-turn.ts'

const HELP = `/memory          what the agent keeps in its memory blocks
/model           the models there are; /model <handle> changes to one
/new             begin with a new agent, which remembers nothing
/help            this list
/quit            leave (also Ctrl-D); the agent stays, \`perdure chat\` goes on with it
Ctrl-C cancels an answer, and leaves at the prompt.`

/** True for `/memory` and the like; a path such as `/etc/hosts` is said to the agent. */
export const isCommand = (line: string): boolean => /^\/[a-z]+(\s|$)/.test(line)

/** Does what a command asks for; `quit` ends the chat. Throws DomainError. */
export async function runCommand(context: TurnContext, line: string): Promise<'done' | 'quit'> {
  const { api, screen, agent } = context
  const [command, argument] = line.split(/\s+/)
  switch (command) {
    case '/quit':
    case '/exit':
      return 'quit'
    case '/help':
      screen.note(HELP)
      break
    case '/memory':
      showBlocks(screen, await readBlocks(api, agent))
      break
    case '/new':
      context.agent = await createChatAgent(api, chooseModel(agent.model, []))
      screen.note(`A new agent, ${context.agent.id}, with ${context.agent.model}.`)
      break
    case '/model':
      if (argument === undefined) {
        const handles = await listHandles(api)
        screen.note(handles.map((handle) => `${handle === agent.model ? '*' : ' '} ${handle}`).join('\n'))
      } else {
        context.agent = await changeModel(api, agent, argument)
        screen.note(`${context.agent.model} answers from now on.`)
      }
      break
    default:
      screen.note(`There is no command ${command}; /help lists those there are.`)
  }
  return 'done'
}

import { failure, type ToolOutcome } from './tool.ts'

/** True for tools whose code is not the server's: a person's own, and those of MCP servers. */
export const isCustomTool = (toolType: string): boolean => toolType === 'custom' || toolType.startsWith('external_')

/**
 * Executes a tool that is not the server's own. This is the one place where a sandbox and connections to MCP servers come in; until
 * then it says that there are none, and nothing is run.
 */
export function runCustomTool(tool: { name: string; tool_type: string }): ToolOutcome {
  const reason =
    tool.tool_type === 'custom'
      ? 'this version of the server keeps the code of custom tools but cannot execute it yet'
      : 'this version of the server does not connect to the services of external tools yet'
  return failure(`\`${tool.name}\` was not run: ${reason}.`)
}

/** What becomes of a call of a tool that an agent has and that is neither its owner's nor in the registry: V1's, out of an agent file. */
export const refuseMissingTool = (toolName: string): ToolOutcome =>
  failure(`\`${toolName}\` was not run: this version of the server does not have it.`)

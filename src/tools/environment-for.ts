import type { BuiltinTool, ToolServices } from './tool.ts'

/** The variables and secrets of an agent, for a tool that asks for them; one statement then, none for the others. */
export async function environmentFor(
  tool: BuiltinTool,
  services: ToolServices,
  organizationId: string,
  agentId: string,
): Promise<Readonly<Record<string, string>> | undefined> {
  return tool.needsEnvironment === true ? services.environmentOf?.(organizationId, agentId) : undefined
}

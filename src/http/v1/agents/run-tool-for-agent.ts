import Type from 'typebox'
import { runAgentTool } from '#agent/run-agent-tool.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { presentExecution } from '#http/v1/tools/present-execution.ts'
import { ToolArguments, ToolExecutionResult } from '#http/v1/tools/tool-schema.ts'
import { AgentId } from './agent-schema.ts'

const Params = Type.Object({ ...AgentId.properties, tool_name: Type.String({ minLength: 1 }) })

export function runToolForAgent(app: App, context: Context): void {
  app.post(
    '/v1/agents/:agent_id/tools/:tool_name/run',
    {
      config: { permission: 'agents:write', alsoNeeds: 'messages:read' },
      schema: {
        operationId: 'run_tool_for_agent',
        tags: ['agents'],
        summary: 'Run a tool of the agent by hand, outside of its conversation; what it changes in memory stays',
        params: Params,
        body: ToolArguments,
        response: { 200: ToolExecutionResult },
      },
    },
    async ({ actor, params, body }) => {
      const request = { actor, agentId: params.agent_id, toolName: params.tool_name, args: body.args ?? {} }
      return presentExecution(await runAgentTool(context, request))
    },
  )
}

import type { FastifyRequest } from 'fastify'
import type { Context } from '#context.ts'
import type { InputMessage } from '#http/v1/agents/messages/message-request-schema.ts'
import { toRun } from '#http/v1/agents/messages/to-run.ts'
import type { NewRun } from '#store/runs/start-run.ts'
import { getAgentModel } from './get-agent-model.ts'

/** The run that a request of OpenAI's API asks for, in the default conversation of the agent. */
export async function toAgentRun(
  context: Pick<Context, 'db' | 'models'>,
  request: FastifyRequest,
  asked: { model: string; messages: InputMessage[]; isStreaming: boolean; runType: string },
): Promise<NewRun> {
  const { actor, id, idempotencyKey } = request
  const agent = await getAgentModel(context.db, actor.organizationId, asked.model)
  const body = { messages: asked.messages, stream_tokens: asked.isStreaming }
  const kind = { requestId: id, runType: asked.runType, background: false, idempotencyKey }
  return toRun(context.models, actor, { agentId: agent.id }, body, kind)
}

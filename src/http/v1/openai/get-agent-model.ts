import { DomainError } from '#platform/errors.ts'
import { type AgentName, findAgentsCalled } from '#store/agents/agent-name-reader.ts'
import type { Queryable } from '#store/db.ts'

/** The agent that `model` names: its id, or its name where no other agent has it. Throws not_found, invalid_argument. */
export async function getAgentModel(db: Queryable, organizationId: string, model: string): Promise<AgentName> {
  const [agent, another] = await findAgentsCalled(db, organizationId, model)
  if (agent === undefined) {
    throw new DomainError(
      'not_found',
      `The model '${model}' does not exist: it must be the id or the name of an agent.`,
      {
        extra: { code: 'model_not_found' },
      },
    )
  }
  if (another !== undefined) {
    throw new DomainError('invalid_argument', `Several agents are called '${model}': use the id of the one you mean.`, {
      extra: { code: 'model_ambiguous' },
    })
  }
  return agent
}

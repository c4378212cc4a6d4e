import { deleteAgent, deleteAgentHistory } from '#store/agents/agent-writer.ts'
import { agentNotFound } from '#store/agents/require-agent.ts'
import { sqlState } from '#store/database-error.ts'
import type { Db } from '#store/db.ts'
import { listOwnCompanions } from '#store/groups/group-writer.ts'

const DEADLOCK = '40P01'
const MAX_ATTEMPTS = 5

/**
 * Deletes an agent with its conversations, runs, messages, steps, tool calls and provider traces, and the agents that work behind it alone; blocks, archives and the ledger of provider
 * calls stay. A loop that is at work finds its run gone and stops. Throws not_found.
 */
export async function removeAgent(db: Db, organizationId: string, agentId: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await db.transaction(async (tx) => {
        const companions = await listOwnCompanions(tx, organizationId, agentId)
        // the agent first: once its runs are gone, no loop can add to the history
        if (!(await deleteAgent(tx, organizationId, agentId))) throw agentNotFound(agentId)
        await deleteAgentHistory(tx, organizationId, agentId)
        for (const companion of companions) {
          if (await deleteAgent(tx, organizationId, companion)) await deleteAgentHistory(tx, organizationId, companion)
        }
      })
      return
    } catch (error) {
      // a loop at work locks run, thread and agent in this order, we the other way round
      if (sqlState(error) !== DEADLOCK || attempt === MAX_ATTEMPTS) throw error
    }
  }
}

import type { Candidate, CandidateOptions } from './candidate.ts'
import { acceptMessage, commitAnswer, commitCall, commitEffect, readContext } from './domain-turn.ts'

/** The floor: the statements of the turn and nobody who looks after it. */
export async function openBareStatements({ db, model }: CandidateOptions): Promise<Candidate> {
  return {
    async turn(agentId, runId) {
      const turn = await acceptMessage(db, runId, agentId)
      const block = await readContext(db, turn)
      await model()
      await commitEffect(db, turn, await commitCall(db, turn, block))
      await model()
      await commitAnswer(db, turn)
    },
    async [Symbol.asyncDispose]() {},
  }
}

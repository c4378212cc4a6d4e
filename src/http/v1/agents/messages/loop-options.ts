import { TokenRatios } from '#agent/context-window/token-ratios.ts'
import type { RunLoopOptions } from '#agent/open-turn.ts'
import type { Context } from '#context.ts'

/** What looking at a turn needs of the server: the same as the loop itself. */
export const loopOptions = ({ db, models, logger, config }: Context): RunLoopOptions => ({
  db,
  models,
  logger,
  maxContextWindow: config.globalMaxContextWindow,
  summaryTimeoutMs: config.summaryTimeoutMs,
  tokenRatios: new TokenRatios(),
})

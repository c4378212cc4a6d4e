import { openBareStatements } from './bare-statements.ts'
import type { OpenCandidate } from './candidate.ts'
import { openDbosAsDocumented, openDbosLean, openDbosQueued } from './dbos.ts'
import { openGraphileWorker } from './graphile-worker.ts'
import { openOurEngine } from './our-engine.ts'
import { openPgBoss } from './pg-boss.ts'
import { openRestate } from './restate.ts'

export const CANDIDATES = {
  floor: openBareStatements,
  ours: openOurEngine,
  dbos: openDbosAsDocumented,
  'dbos-lean': openDbosLean,
  'dbos-queue': openDbosQueued,
  'pg-boss': openPgBoss,
  graphile: openGraphileWorker,
  restate: openRestate,
} satisfies Record<string, OpenCandidate>

export type CandidateName = keyof typeof CANDIDATES

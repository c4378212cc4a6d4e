import { availableParallelism } from 'node:os'
import type { Config } from '#config/config.ts'
import { AUTO_WORKERS } from '#config/options.ts'

/** Fewer connections than these make a worker wait for itself. */
const MIN_POOL_SIZE = 2

/** How many processes share the port. */
export const workerCount = ({ workers }: Pick<Config, 'workers'>): number =>
  workers === AUTO_WORKERS ? availableParallelism() : workers

/** A worker's share of the connections to the database. */
export const poolShare = (config: Pick<Config, 'workers' | 'databasePoolSize'>): number =>
  Math.max(MIN_POOL_SIZE, Math.floor(config.databasePoolSize / workerCount(config)))

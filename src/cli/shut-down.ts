import { setTimeout as sleep } from 'node:timers/promises'
import type { Context } from '#context.ts'
import type { buildServer } from '#server.ts'

type App = Awaited<ReturnType<typeof buildServer>>

/** Connections that were accepted last have this long to send their request, once no new ones are taken. */
const SETTLE_MS = 250
const POLL_MS = 25
/** Before the end of the grace streams tell their clients to connect again, then connections are cut, then leases go back. */
const LAST_CALL_SHARE = 0.15
const CUT_SHARE = 0.075

/** Counts the requests under way: open connections say nothing about them. */
export function countRequests(app: App): () => number {
  let count = 0
  app.addHook('onRequest', async (_request, reply) => {
    count += 1
    reply.raw.once('close', () => {
      count -= 1
    })
  })
  return () => count
}

/**
 * Stops in the order in which nobody loses anything: not ready, but listening as before (`PERDURE_SHUTDOWN_DELAY`) → no new
 * connections, and runs go to other processes after their step → what is still open is told to connect again → cut. Takes
 * `PERDURE_SHUTDOWN_GRACE` at most, together with the disposal of the context, which gives back the last leases.
 */
export async function shutDown(
  app: App,
  context: Context,
  openRequests: () => number,
  signal: NodeJS.Signals,
): Promise<void> {
  const { config, logger, db, shutdown } = context
  const { shutdownGraceMs: graceMs } = config
  const deadline = performance.now() + graceMs
  const before = (share: number) => deadline - graceMs * share
  shutdown.begin()

  // with an embedded database there is no other process that could take over, and nobody waits at a Ctrl-C
  const hasPeers = db.engine === 'postgres'
  const delayMs = hasPeers && signal !== 'SIGINT' ? Math.min(config.shutdownDelayMs, graceMs / 2) : 0
  logger.info(
    delayMs === 0
      ? `${signal}: stopping; send it again to stop at once`
      : `${signal}: not ready any more, stops listening in ${delayMs / 1000} s; send it again to stop at once`,
  )
  await sleep(delayMs)

  // the loop has just accepted whoever had connected: none of them is refused after the fact
  await new Promise((resolve) => setImmediate(resolve))
  void app.close()
  const notBefore = performance.now() + SETTLE_MS
  let hasHandedOver = !hasPeers
  if (hasPeers) {
    void drainRuns(context).finally(() => {
      hasHandedOver = true
    })
  }
  const isDone = () => openRequests() === 0 && hasHandedOver && performance.now() >= notBefore
  const waitUntil = async (limit: number) => {
    while (!isDone() && performance.now() < limit) {
      await sleep(POLL_MS)
      app.server.closeIdleConnections()
    }
  }
  await waitUntil(before(LAST_CALL_SHARE))
  shutdown.callLast()
  await waitUntil(before(CUT_SHARE))
  if (openRequests() > 0) logger.warn(`${openRequests()} requests still open after ${graceMs / 1000} s are cut`)
  app.server.closeAllConnections()

  // a run that heeds no signal must not hold up the end: its lease ends by itself
  const isDisposed = context[Symbol.asyncDispose]().then(() => true)
  const limit = sleep(Math.max(deadline - performance.now(), 0), false, { ref: false })
  if (!(await Promise.race([isDisposed, limit]))) {
    logger.warn('what was still under way is left to whoever takes it over')
    logger.flush()
    process.exit(0)
  }
}

/** Gives the runs of this process to others, each after its step or tool call. */
async function drainRuns({ runs, logger }: Context): Promise<void> {
  try {
    await runs.drain()
  } catch (error) {
    logger.warn({ err: error }, 'handing runs over failed; their leases end by themselves')
  }
}

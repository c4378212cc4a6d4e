import type { ServerContext } from '@modelcontextprotocol/server'

/** Tells a client that has asked for it that its call is at work, every `intervalMs`, so that it waits on. */
export async function withProgress<Result>(
  { mcpReq }: ServerContext,
  intervalMs: number,
  work: () => Promise<Result>,
): Promise<Result> {
  const progressToken = mcpReq._meta?.progressToken
  if (progressToken === undefined) return work()
  let progress = 0
  const tell = () => {
    progress += 1
    const params = { progressToken, progress, message: 'The agent is at work.' }
    // a client that has gone need not be told
    mcpReq.notify({ method: 'notifications/progress', params }).catch(() => {})
  }
  const timer = setInterval(tell, intervalMs)
  try {
    return await work()
  } finally {
    clearInterval(timer)
  }
}

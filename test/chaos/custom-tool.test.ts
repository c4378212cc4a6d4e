import { execFileSync } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { callServer } from '../support/call-server.ts'
import { type KillableServer, prepareKillableServer } from '../support/killable-server.ts'
import type { ServerProcess } from '../support/server-process.ts'

/** Rings a bell that is not in our database, and then takes its time: that is when the server is killed. */
const source = (port: number) => `
def ring(text: str) -> str:
    """Ring a bell.

    Args:
        text: what to say
    """
    import time, urllib.request
    urllib.request.urlopen("http://127.0.0.1:${port}/?" + text).read()
    time.sleep(2 if text.endswith("slow") else 0)
    return "rang " + text
`

let killable: KillableServer
let server: ServerProcess
const rings: string[] = []
const bell = createServer((request, response) => {
  rings.push(request.url?.slice(2) ?? '')
  response.end()
})
beforeAll(async () => {
  await new Promise<void>((resolve) => bell.listen(0, '127.0.0.1', resolve))
  killable = await prepareKillableServer('custom-tool', 0, { PERDURE_TOOL_ADDRESSES: 'any' })
})
afterAll(async () => {
  bell.close()
  await killable.remove()
})

const call = <Body>(method: string, path: string, body?: object) => callServer<Body>(server.url, method, path, body)

/** Lets an agent ring the bell, kills the server while it does, and gives the result that the next server has for the call. */
async function crash(isIdempotent: boolean): Promise<{ text: string; status: string }> {
  server = await killable.start()
  const { port } = bell.address() as AddressInfo
  const metadata_ = { network: [`127.0.0.1:${port}`], ...(isIdempotent ? { idempotent: true } : {}) }
  const tool = await call<{ id: string }>('POST', '/v1/tools/', { source_code: source(port), metadata_ })
  const agent = await call<{ id: string }>('POST', '/v1/agents', { model: 'openai/gpt-4o-mini', tool_ids: [tool.id] })
  const input = `${isIdempotent ? 'again' : 'once'}-slow`
  rings.length = 0
  const sent = call('POST', `/v1/agents/${agent.id}/messages`, { input }).catch(() => {})
  await expect.poll(() => rings, { timeout: 20_000 }).toEqual([input])
  await server.kill()
  await sent
  server = await killable.start()
  const messages = () =>
    call<{ message_type: string; tool_return: string; status: string; content: string }[]>(
      'GET',
      `/v1/agents/${agent.id}/messages`,
    )
  const answer = async () => (await messages()).find(({ content }) => content === `answer:${input}`)
  await expect.poll(answer, { timeout: 20_000 }).toBeDefined()
  const returned = (await messages()).filter(({ message_type }) => message_type === 'tool_return_message')
  expect(returned).toHaveLength(1)
  const [first] = returned
  // the last kill: with it goes the sandbox that ran the call
  await server.kill()
  return { text: first?.tool_return ?? '', status: first?.status ?? '' }
}

/** Processes of sandboxes that outlived their server: children of init that are Pythons of ours. */
const leftOver = (): string[] =>
  execFileSync('ps', ['-eo', 'ppid=,args='], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => /^\s*1\s.*fork_server\.py/.test(line))

it('a tool that the kill interrupted is not run again, and the model is told', async () => {
  const { text, status } = await crash(false)
  expect(status).toBe('error')
  expect(text).toContain('may or may not have taken effect')
  await sleep(2500)
  expect(rings).toEqual(['once-slow'])
}, 60_000)

it('one that may be run twice is run again', async () => {
  const { text, status } = await crash(true)
  expect([text, status]).toEqual(['rang again-slow', 'success'])
  expect(rings).toEqual(['again-slow', 'again-slow'])
}, 60_000)

it('a killed server leaves no process of its sandbox behind', async () => {
  await expect.poll(leftOver, { timeout: 5000 }).toEqual([])
})

import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { callServer } from '../support/call-server.ts'
import { type KillableServer, prepareKillableServer } from '../support/killable-server.ts'

const KILLS = 4
const TURNS_BETWEEN_KILLS = 3

let killable: KillableServer
beforeAll(async () => {
  killable = await prepareKillableServer('instant-text', 20)
})
afterAll(() => killable.remove())

interface Run {
  id: string
  status: string
  metadata: { main_run_id?: string }
}

it('a sleeptime agent works once after each turn, whenever the server is killed', async () => {
  let server = await killable.start()
  const call = <Body>(method: string, path: string, body?: object) => callServer<Body>(server.url, method, path, body)
  const agent = await call<{ id: string; managed_group: { id: string; agent_ids: string[] } }>('POST', '/v1/agents', {
    model: 'openai/gpt-4o-mini',
    enable_sleeptime: true,
  })
  const { id: groupId, agent_ids } = agent.managed_group
  const manager_config = { manager_type: 'sleeptime', sleeptime_agent_frequency: null }
  await call('PATCH', `/v1/groups/${groupId}`, { manager_config })
  const runsOf = (id: string | undefined) => call<Run[]>('GET', `/v1/runs/?limit=1000&agent_id=${id}`)

  for (let kill = 1; kill <= KILLS; kill += 1) {
    for (let turn = 1; turn <= TURNS_BETWEEN_KILLS; turn += 1) {
      await call('POST', `/v1/agents/${agent.id}/messages`, { input: `hello ${kill}.${turn}` })
    }
    // before, while and after the job starts what is due
    await sleep(kill * 250)
    await server.kill()
    server = await killable.start()
  }
  const turns = KILLS * TURNS_BETWEEN_KILLS
  const main = await runsOf(agent.id)
  expect(main.filter(({ status }) => status === 'completed')).toHaveLength(turns)
  const ended = async () => (await runsOf(agent_ids[0])).filter(({ status }) => status === 'completed').length
  await expect.poll(ended, { timeout: 60_000, interval: 200 }).toBe(turns)
  const runs = await runsOf(agent_ids[0])
  expect(runs.map(({ metadata }) => metadata.main_run_id).toSorted()).toEqual(main.map(({ id }) => id).toSorted())
  expect(await call('GET', `/v1/groups/${groupId}`)).toMatchObject({ turns_counter: turns })
  const messages = await call<{ message_type: string }[]>('GET', `/v1/agents/${agent_ids[0]}/messages?limit=1000`)
  expect(messages.filter(({ message_type }) => message_type === 'user_message')).toHaveLength(turns)
  expect(await server.stop()).toBe(0)
}, 180_000)

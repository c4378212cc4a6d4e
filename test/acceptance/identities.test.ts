import { expect } from 'vitest'
import { MODEL, operation, useServer } from './support/operation.ts'

const server = useServer()

/** The client has no operation that makes one: as its users do, by hand. */
async function newIdentity(): Promise<string> {
  const { url, apiKey } = server.target()
  const response = await fetch(`${url}/v1/identities/`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(apiKey === null ? {} : { authorization: `Bearer ${apiKey}` }) },
    body: JSON.stringify({ identifier_key: crypto.randomUUID(), name: 'Ann', identity_type: 'user' }),
  })
  return ((await response.json()) as { id: string }).id
}

operation(server, 'agents.identities.attach', 'gives an agent an identity, by which it is found', async (client) => {
  const agent = await client.agents.create({ model: MODEL })
  const identity = await newIdentity()
  expect(await client.agents.identities.attach(identity, { agent_id: agent.id })).toBeNull()
  const read = await client.agents.retrieve(agent.id, { include: ['agent.identities'] })
  expect(read.identities).toMatchObject([{ id: identity, name: 'Ann', agent_ids: [agent.id] }])
  const found = []
  for await (const item of client.agents.list({ identity_id: identity })) found.push(item.id)
  expect(found).toEqual([agent.id])
  const unknown = client.agents.identities.attach('identity-none', { agent_id: agent.id })
  await expect(unknown).rejects.toMatchObject({ status: 404 })
})

operation(server, 'agents.identities.detach', 'takes the identity away', async (client) => {
  const identity = await newIdentity()
  const agent = await client.agents.create({ model: MODEL, identity_ids: [identity] })
  expect(agent.identities).toHaveLength(1)
  expect(await client.agents.identities.detach(identity, { agent_id: agent.id })).toBeNull()
  expect((await client.agents.retrieve(agent.id, { include: ['agent.identities'] })).identities).toEqual([])
})

import { expect } from 'vitest'
import { MODEL, operation, useServer } from './support/operation.ts'

const server = useServer()
type Client = ReturnType<typeof server.client>

async function newTemplate(client: Client) {
  const agent = await client.agents.create({
    model: MODEL,
    system: 'Be kind.',
    memory_blocks: [{ label: 'human', value: 'Name: {{name}}' }],
  })
  const name = `t-${crypto.randomUUID()}`
  return client.templates.create({ type: 'agent', agent_id: agent.id, name })
}

const agentFile = (system: string) => ({
  agents: [{ id: 'agent-0', name: 'filed', system, model: MODEL, block_ids: ['block-0'] }],
  blocks: [{ id: 'block-0', label: 'human', value: 'From a file: {{name}}' }],
})

async function agentOf(client: Client, address: string, variables: Record<string, string> = {}) {
  const made = await client.templates.agents.create(address, { memory_variables: variables })
  const agent = await client.agents.retrieve(made.agent_ids[0] ?? '', { include: ['agent.blocks'] })
  return { ...made, agent }
}

operation(server, 'templates.create', 'makes a template of an agent, and of an agent file', async (client) => {
  const template = await newTemplate(client)
  expect(template).toMatchObject({ latest_version: '1', project_slug: 'default-project' })
  expect(template.template_deployment_slug).toBe(`default-project/${template.name}:1`)
  const filed = await client.templates.create({ type: 'agent_file', agent_file: agentFile('Filed.') })
  expect((await agentOf(client, filed.name)).agent.system).toBe('Filed.')
  const again = { type: 'agent_file' as const, agent_file: agentFile('x'), name: template.name }
  await expect(client.templates.create(again)).rejects.toMatchObject({ status: 409 })
})

operation(server, 'templates.agents.create', 'makes an agent with the variables filled in', async (client) => {
  const template = await newTemplate(client)
  const { agent, deployment_id } = await agentOf(client, `${template.name}:latest`, { name: 'Ann' })
  expect(agent.blocks[0]?.value).toBe('Name: Ann')
  expect(agent).toMatchObject({ base_template_id: template.id, deployment_id, system: 'Be kind.' })
  const said = await client.agents.messages.create(agent.id, { input: 'Hello' })
  expect(said.stop_reason.stop_reason).toBe('end_turn')
  await expect(client.templates.agents.create('none:1')).rejects.toMatchObject({ status: 404 })
})

operation(server, 'templates.update', 'changes the version under work only', async (client) => {
  const { name } = await newTemplate(client)
  expect((await client.templates.update(name, { agent_file_json: agentFile('New.') })).success).toBe(true)
  expect((await agentOf(client, `${name}:current`)).agent.system).toBe('New.')
  expect((await agentOf(client, `${name}:latest`)).agent.system).toBe('Be kind.')
})

operation(server, 'templates.save', 'makes the next version, and brings agents to it', async (client) => {
  const { name } = await newTemplate(client)
  const { agent } = await agentOf(client, name, { name: 'Ann' })
  await client.templates.update(name, { agent_file_json: agentFile('New.') })
  const saved = await client.templates.save(name, { message: 'Second', migrate_agents: true })
  expect(saved.latest_version).toBe('2')
  const migrated = await client.agents.retrieve(agent.id, { include: ['agent.blocks'] })
  expect(migrated.system).toBe('New.')
  expect(migrated.blocks[0]?.value).toBe('From a file: Ann')
})

operation(server, 'templates.rollback', 'goes back to a version, and saves what was not', async (client) => {
  const { name } = await newTemplate(client)
  await client.templates.update(name, { agent_file_json: agentFile('New.') })
  expect((await client.templates.rollback(name, { version: '1' })).success).toBe(true)
  expect((await agentOf(client, `${name}:current`)).agent.system).toBe('Be kind.')
  expect((await agentOf(client, `${name}:2`)).agent.system).toBe('New.')
  await expect(client.templates.rollback(name, { version: '7' })).rejects.toMatchObject({ status: 404 })
})

operation(server, 'templates.delete', 'deletes all versions; agents stay', async (client) => {
  const { name } = await newTemplate(client)
  const { agent } = await agentOf(client, name)
  expect(await client.templates.delete(name)).toEqual({ success: true })
  await expect(client.templates.agents.create(name)).rejects.toMatchObject({ status: 404 })
  await expect(client.templates.delete(name)).rejects.toMatchObject({ status: 404 })
  expect((await client.agents.retrieve(agent.id)).id).toBe(agent.id)
})

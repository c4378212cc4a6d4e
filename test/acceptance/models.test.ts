import { expect } from 'vitest'
import { MODEL, operation, useServer } from './support/operation.ts'

const server = useServer()

operation(server, 'models.list', 'gives the models of the server, by category and provider', async (client) => {
  const models = await client.models.list()
  expect(models).toContainEqual(
    expect.objectContaining({ handle: MODEL, model_type: 'llm', provider_category: 'base', provider_name: 'perdure' }),
  )
  const handlesOf = async (query: Parameters<typeof client.models.list>[0]) =>
    (await client.models.list(query)).map((model) => model.handle)
  expect(await handlesOf({ provider_name: 'perdure' })).toEqual([MODEL])
  expect(await handlesOf({ provider_category: ['base'] })).toContain(MODEL)
  expect(await handlesOf({ provider_category: ['byok'] })).not.toContain(MODEL)
  expect(await handlesOf({ provider_name: 'nobody' })).toEqual([])
  await expect(client.models.list({ provider_category: ['odd' as 'base'] })).rejects.toMatchObject({ status: 422 })
})

operation(
  server,
  'models.embeddings.list',
  'gives embedding models, none where no provider has one',
  async (client) => {
    const models = await client.models.embeddings.list()
    for (const model of models) {
      expect(model).toMatchObject({ model_type: 'embedding', handle: expect.stringContaining('/') })
    }
  },
)

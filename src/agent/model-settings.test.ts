import { expect, it } from 'vitest'
import { resolveModelSettings } from './model-settings.ts'

const schema = { type: 'json_schema', json_schema: { name: 'answer' } }

it("takes Google's response_schema for a response_format", () => {
  expect(resolveModelSettings({ response_schema: schema }, null, null).response_format).toEqual(schema)
  const both = { response_schema: schema, response_format: { type: 'json_object' } }
  expect(resolveModelSettings(both, null, null).response_format).toEqual({ type: 'json_object' })
  expect(resolveModelSettings({ response_schema: null }, null, schema).response_format).toEqual(schema)
})

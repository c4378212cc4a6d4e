import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Static, TObject } from 'typebox'
import Type from 'typebox'
import type { Context } from '#context.ts'
import type { Actor } from '#http/app.ts'
import { IdSchema } from '#http/wire/ids.ts'

export interface McpCall<Input extends TObject = TObject> {
  context: Context
  actor: Actor
  args: Static<Input>
  request: FastifyRequest
  reply: FastifyReply
}

/** One tool of the MCP endpoint. It does what an operation of the REST API does, by the same functions and with the same permissions. */
export interface McpTool<Input extends TObject = TObject> {
  name: string
  title: string
  description: string
  /** All of them are needed; the names of the REST API's. */
  permissions: readonly string[]
  /** Changes nothing. */
  isReadOnly: boolean
  input: Input
  /** What the client's model reads: a text, or what becomes JSON. Throws as operations do. */
  call(call: McpCall<Input>): Promise<unknown>
}

/** Keeps the type of the input between its schema and the call. */
export const mcpTool = <Input extends TObject>(tool: McpTool<Input>): McpTool => tool as unknown as McpTool

export const AgentIdField = IdSchema('agent', 'Id of the agent, from list_agents')

export const BlockLabelField = Type.String({ minLength: 1, description: 'Label of the block, from list_blocks' })

export const limitField = (max: number, fallback: number) =>
  Type.Optional(Type.Integer({ minimum: 1, maximum: max, description: `How many at most; ${fallback} by default` }))

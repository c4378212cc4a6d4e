import Type from 'typebox'
import { AgentId } from '#http/v1/agents/agent-schema.ts'
import { IdSchema } from '#http/wire/ids.ts'

export const AgentFileId = Type.Object({ ...AgentId.properties, file_id: IdSchema('file') })

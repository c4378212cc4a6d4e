import Type from 'typebox'
import { insertPassage } from '#memory/insert-passage.ts'
import { AgentIdField, mcpTool } from './mcp-tool.ts'

export const insertMemory = mcpTool({
  name: 'insert_memory',
  title: 'Insert into archival memory',
  description:
    'Store a passage in the archival memory of an agent, where it can be searched. Write it so that it can be understood on its own. What is there already is not stored twice: `is_duplicate`.',
  permissions: ['agents:write'],
  isReadOnly: false,
  input: Type.Object({
    agent_id: AgentIdField,
    text: Type.String({ minLength: 1, description: 'What to remember' }),
    tags: Type.Optional(Type.Array(Type.String(), { description: 'Tags to find it by' })),
  }),
  async call({ context, actor, args }) {
    const { id, text, tags, isDuplicate } = await insertPassage(context.db, actor, args.agent_id, args)
    return { id, text, tags, is_duplicate: isDuplicate }
  },
})

import Type from 'typebox'
import { refreshAgentPrompt } from '#agent/refresh-agent-prompt.ts'
import { replaceUnique } from '#memory/edit-text.ts'
import { modifyBlock } from '#memory/modify-block.ts'
import { unprocessable } from '#platform/errors.ts'
import { getBlockOfAgent } from '#store/agents/agent-block-reader.ts'
import type { BlockRow } from '#store/blocks/block-row.ts'
import { AgentIdField, BlockLabelField, mcpTool } from './mcp-tool.ts'

export const editBlock = mcpTool({
  name: 'edit_block',
  title: 'Edit a memory block',
  description:
    'Change a memory block of an agent: give old_string and new_string to replace a piece that occurs exactly once, or value to replace everything. The agent sees it from its next turn on.',
  permissions: ['agents:write'],
  isReadOnly: false,
  input: Type.Object({
    agent_id: AgentIdField,
    label: BlockLabelField,
    old_string: Type.Optional(Type.String({ description: 'The piece to replace, verbatim' })),
    new_string: Type.Optional(Type.String({ description: 'What to put in its place; empty removes it' })),
    value: Type.Optional(Type.String({ description: 'The whole new value' })),
  }),
  async call({ context, actor, args }) {
    const { db, models } = context
    const { organizationId, userId } = actor
    const toChange = changeOf(args)
    const { id } = await getBlockOfAgent(db, organizationId, args.agent_id, args.label)
    const block = await modifyBlock(db, organizationId, id, toChange, { type: 'user', userId })
    await refreshAgentPrompt(db, models, organizationId, args.agent_id)
    return { id, label: block.label, value: block.value }
  },
})

interface Edit {
  old_string?: string
  new_string?: string
  value?: string
}

function changeOf({ old_string: before, new_string: after, value }: Edit): (block: BlockRow) => { value: string } {
  const isPiece = before !== undefined && after !== undefined && value === undefined
  if (isPiece) return (block) => ({ value: replaced(block, before, after) })
  if (value === undefined || before !== undefined || after !== undefined) {
    throw unprocessable('Give either value, or old_string and new_string.')
  }
  return () => ({ value })
}

function replaced({ value, label }: BlockRow, before: string, after: string): string {
  const edit = replaceUnique(value, label, before, after)
  if (!edit.ok) throw unprocessable(edit.problem)
  return edit.value
}

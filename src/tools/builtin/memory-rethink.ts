import { type BuiltinTool, failure, success } from '#tools/tool.ts'
import { editBlock } from './block-edit.ts'

export const memoryRethink: BuiltinTool = {
  name: 'memory_rethink',
  description:
    'Rewrite one of your memory blocks as a whole. Use it to condense, reorganise or correct a block; for a small change use memory_replace or memory_insert. A block that does not exist is created.',
  toolType: 'letta_sleeptime_core',
  durability: 'transactional',
  parameters: {
    type: 'object',
    properties: {
      label: { type: 'string', description: 'Label of the memory block to rewrite.' },
      new_memory: { type: 'string', description: 'The whole new text of the block, without line numbers.' },
    },
    required: ['label', 'new_memory'],
  },
  execute({ label, new_memory }, context) {
    const isKnown = context.blocks.some((block) => block.label === label)
    if (isKnown) return editBlock(context, String(label), () => ({ ok: true, value: String(new_memory) }))
    if (label === '') return failure('label is empty. Name the memory block to rewrite.')
    return success(String(new_memory), [
      { type: 'create-block', label: String(label), value: String(new_memory), description: null },
    ])
  },
}

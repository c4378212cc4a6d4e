import { insertLines } from '#memory/edit-text.ts'
import type { BuiltinTool } from '#tools/tool.ts'
import { editBlock } from './block-edit.ts'

export const memoryInsert: BuiltinTool = {
  name: 'memory_insert',
  description: 'Insert text as new lines at a place in one of your memory blocks, by default at its end.',
  toolType: 'letta_sleeptime_core',
  durability: 'transactional',
  parameters: {
    type: 'object',
    properties: {
      label: { type: 'string', description: 'Label of the memory block to edit.' },
      new_string: { type: 'string', description: 'Text to insert, without line numbers.' },
      insert_line: {
        type: 'integer',
        description: 'Line after which to insert: 0 for the beginning of the block, -1 (the default) for its end.',
        default: -1,
      },
    },
    required: ['label', 'new_string'],
  },
  execute({ label, new_string, insert_line }, context) {
    return editBlock(context, String(label), (value) =>
      insertLines(value, String(new_string), Number(insert_line ?? -1)),
    )
  },
}

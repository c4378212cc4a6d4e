import { replaceUnique } from '#memory/edit-text.ts'
import type { BuiltinTool } from '#tools/tool.ts'
import { editBlock } from './block-edit.ts'

export const memoryReplace: BuiltinTool = {
  name: 'memory_replace',
  description:
    'Replace one passage of text in one of your memory blocks. The old text must match exactly, including white space, and stand in the block only once. To delete text, send an empty new_string.',
  toolType: 'letta_sleeptime_core',
  durability: 'transactional',
  parameters: {
    type: 'object',
    properties: {
      label: { type: 'string', description: 'Label of the memory block to edit.' },
      old_string: { type: 'string', description: 'Text to replace, without line numbers.' },
      new_string: { type: 'string', description: 'Text to put in its place, without line numbers.' },
    },
    required: ['label', 'old_string', 'new_string'],
  },
  execute({ label, old_string, new_string }, context) {
    return editBlock(context, String(label), (value) =>
      replaceUnique(value, String(label), String(old_string), String(new_string)),
    )
  },
}

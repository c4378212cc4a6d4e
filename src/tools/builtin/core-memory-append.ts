import type { BuiltinTool } from '#tools/tool.ts'
import { editBlock } from './block-edit.ts'

export const coreMemoryAppend: BuiltinTool = {
  name: 'core_memory_append',
  description: 'Add text on a new line at the end of one of your memory blocks.',
  toolType: 'letta_memory_core',
  durability: 'transactional',
  parameters: {
    type: 'object',
    properties: {
      label: { type: 'string', description: 'Label of the memory block to edit.' },
      content: { type: 'string', description: 'Text to add. Any language and emoji are fine.' },
    },
    required: ['label', 'content'],
  },
  execute({ label, content }, context) {
    return editBlock(context, String(label), (value) => ({
      ok: true,
      value: value === '' ? String(content) : `${value}\n${content}`,
    }))
  },
}

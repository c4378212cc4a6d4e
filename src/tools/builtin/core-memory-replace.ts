import type { BuiltinTool } from '#tools/tool.ts'
import { editBlock } from './block-edit.ts'

export const coreMemoryReplace: BuiltinTool = {
  name: 'core_memory_replace',
  description: 'Replace text in one of your memory blocks. To delete text, replace it with an empty string.',
  toolType: 'letta_memory_core',
  durability: 'transactional',
  parameters: {
    type: 'object',
    properties: {
      label: { type: 'string', description: 'Label of the memory block to edit.' },
      old_content: { type: 'string', description: 'Text to replace; it must match the block exactly.' },
      new_content: { type: 'string', description: 'Text to put in its place.' },
    },
    required: ['label', 'old_content', 'new_content'],
  },
  execute({ label, old_content, new_content }, context) {
    return editBlock(context, String(label), (value) =>
      old_content !== '' && value.includes(String(old_content))
        ? { ok: true, value: value.replace(String(old_content), () => String(new_content)) }
        : { ok: false, problem: `Old content '${old_content}' not found in memory block '${label}'` },
    )
  },
}

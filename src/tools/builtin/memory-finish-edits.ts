import { type BuiltinTool, success } from '#tools/tool.ts'

export const memoryFinishEdits: BuiltinTool = {
  name: 'memory_finish_edits',
  description: 'Say that you are done editing memory for now.',
  toolType: 'letta_sleeptime_core',
  durability: 'read',
  parameters: { type: 'object', properties: {}, required: [] },
  execute: () => success('None'),
}

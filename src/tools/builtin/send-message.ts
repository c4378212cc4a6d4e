import { type BuiltinTool, success } from '#tools/tool.ts'

export const sendMessage: BuiltinTool = {
  name: 'send_message',
  description: 'Send a message to the user.',
  toolType: 'letta_core',
  durability: 'read',
  parameters: {
    type: 'object',
    properties: { message: { type: 'string', description: 'Text of the message. Any language and emoji are fine.' } },
    required: ['message'],
  },
  execute: () => success('Sent message successfully.'),
}

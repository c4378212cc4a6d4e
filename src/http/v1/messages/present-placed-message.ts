import { type MessageView, type MessageWire, presentMessages } from '#http/wire/present-message.ts'
import type { PlacedMessage } from '#store/messages/placed-message.ts'

/** A stored message as the messages of the wire, each with where it was said. */
export const presentPlacedMessage = (message: PlacedMessage, view: MessageView = {}): MessageWire[] =>
  presentMessages([message], view).map((wire) => ({
    ...wire,
    message_id: message.id,
    agent_id: message.agent_id,
    conversation_id: message.shown_conversation_id,
    created_at: wire.date,
  }))

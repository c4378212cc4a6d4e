import Type from 'typebox'

/**
 * An agent file as sent. Not called JSON: the official clients give a text, as their types say, only where the answer is not
 * labelled as JSON.
 */
export const FILE_CONTENT_TYPE = 'text/plain; charset=utf-8'
export const FileText = Type.String({ description: 'JSON' })

export const ConversationToExport = Type.String({
  pattern: '^(default|conv-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})?$',
  description: "Id of a conversation of the agent, whose messages the file has; 'default' or none: the default one",
})

/** Null for the default conversation. */
export const toConversationId = (id: string | null | undefined): string | null =>
  id === undefined || id === '' || id === 'default' ? null : id

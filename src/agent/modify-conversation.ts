import type { ModelInfo } from '#llm/model.ts'
import { findConversation } from '#store/conversations/conversation-reader.ts'
import { updateConversation } from '#store/conversations/conversation-writer.ts'
import type { AgentAuthor } from './create-agent.ts'
import type { ConversationDeps } from './create-conversation.ts'
import { conversationNotFound, getThread } from './get-thread.ts'
import { checkContextWindow, resolveModel } from './resolve-model.ts'

/** What to change: undefined leaves as it is, null clears. */
export interface ConversationChange {
  summary?: string | null | undefined
  description?: string | null | undefined
  model?: string | null | undefined
  model_settings?: Record<string, unknown> | null | undefined
  context_window_limit?: number | null | undefined
  last_message_at?: Date | null | undefined
  archived?: boolean | null | undefined
}

/** Changes what is said of a conversation. Throws not_found (conversation, model) and invalid_argument (model, limits). */
export async function modifyConversation(
  deps: ConversationDeps,
  author: AgentAuthor,
  id: string,
  change: ConversationChange,
): Promise<void> {
  const { db, models } = deps
  const { organizationId, userId } = author
  const { archived, context_window_limit: limit } = change
  const current = await findConversation(db, organizationId, id)
  if (current === undefined) throw conversationNotFound(id)
  const model = change.model == null ? undefined : await resolveModel(models, change.model, organizationId)
  if (limit != null) {
    checkContextWindow(limit, model ?? (await currentModel(deps, organizationId, id, change.model === null)))
  }
  const isArchived = archived === undefined ? current.archived_at !== null : archived === true
  // one by one: what else a request may hold is none of our columns
  const columns = {
    summary: change.summary,
    description: change.description,
    model_settings: change.model_settings,
    last_message_at: change.last_message_at,
    context_window_limit: limit,
    model: change.model === null ? null : model?.handle,
    archived_at: isArchived ? (current.archived_at ?? new Date()) : null,
  }
  if (!(await updateConversation(db, organizationId, id, columns, userId))) throw conversationNotFound(id)
}

/** The model that it talks with as long as this change names none. */
async function currentModel(
  { db, models }: ConversationDeps,
  organizationId: string,
  id: string,
  losesOwn: boolean,
): Promise<ModelInfo> {
  const thread = await getThread(db, organizationId, { conversationId: id })
  return resolveModel(models, losesOwn ? thread.model : (thread.conversation_model ?? thread.model), organizationId)
}

import type { Context } from '#context.ts'
import { catalogOf } from '#http/v1/agents/read-agent.ts'
import { notFound } from '#platform/errors.ts'
import { getAgent } from '#store/agents/agent-reader.ts'
import { findThreadToExport } from '#store/conversations/find-thread-to-export.ts'
import { listFilesToExport } from '#store/files/file-reader.ts'
import { listContextMessages } from '#store/messages/message-reader.ts'
import { type FileSkill, presentAgentFile } from './present-agent-file.ts'
import { presentFolders } from './present-folders.ts'
import { presentFileMessages } from './present-messages.ts'
import { writeArchive } from './write-archive.ts'

export interface ExportRequest {
  organizationId: string
  agentId: string
  /** Null: the default conversation. */
  conversationId: string | null
  withoutMessages: boolean
  withoutArchives: boolean
  /** Of someone who may read the agent and no folders. */
  withoutFolders: boolean
  skills: readonly FileSkill[]
}

/**
 * The text of an agent's file. Throws not_found for the agent, or for a conversation that is not the agent's, unprocessable for an archive that no
 * file can carry.
 */
export async function writeAgentFile(context: Context, request: ExportRequest): Promise<string> {
  const { db } = context
  const { organizationId, agentId, conversationId } = request
  const agent = await getAgent(db, organizationId, agentId)
  const thread = await findThreadToExport(db, organizationId, agentId, conversationId)
  if (thread === undefined) {
    throw notFound(`Conversation not found: agent ${agentId} has no conversation ${conversationId ?? 'default'}.`)
  }
  const messages = request.withoutMessages
    ? []
    : presentFileMessages('agent-0', agent.timezone, thread, await listContextMessages(db, organizationId, thread))
  // texts that an import of the same size limit can still take, with all the rest
  const maxBytes = context.config.maxBodyBytes / 2
  const written = request.withoutArchives ? undefined : await writeArchive(db, organizationId, agentId, maxBytes)
  const hasFolders = agent.folders.length > 0 && !request.withoutFolders
  const files = hasFolders ? await listFilesToExport(db, organizationId, agentId, maxBytes - (written?.bytes ?? 0)) : []
  const catalog = await catalogOf(context, organizationId)
  const folders = presentFolders(hasFolders ? agent.folders : [], files, catalog)
  const file = presentAgentFile({
    agent,
    catalog,
    messages,
    folders,
    archives: written === undefined ? [] : [written.archive],
    skills: request.skills,
    now: new Date(),
  })
  return JSON.stringify(file, null, 2)
}

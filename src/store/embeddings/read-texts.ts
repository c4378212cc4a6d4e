import type { ContentPart } from '#llm/model.ts'
import { type Queryable, statement } from '#store/db.ts'
import type { ToolReturn } from '#store/messages/message-row.ts'
import { messageText } from '#store/messages/message-text.ts'
import type { ClaimedText, EmbeddedText, EmbeddingKind } from './embedding-queue.ts'

/** A text to make a vector of. */
export interface TextToEmbed extends Omit<EmbeddedText, 'vector'> {
  text: string
}

interface Row {
  organization_id: string
  id: string
  scope_id: string
  part_id: string | null
  role: string | null
  seq: number | null
  text: string
}

const WANTED = `from unnest($1::text[], $2::text[], $3::timestamptz[]) as w (organization_id, id, created_at)`
const SAME = 's.organization_id = w.organization_id and s.id = w.id'

const READ: Record<EmbeddingKind, ReturnType<typeof statement>> = {
  // A driver gives the time in milliseconds, and the database has microseconds. Pictures, of megabytes, stay there.
  message: statement(
    'read-messages-to-embed',
    `select s.organization_id, s.id, s.agent_id as scope_id, s.conversation_id as part_id, s.role, s.seq,
       jsonb_path_query_array(s.content, '$[*] ? (@.type == "text")') as content, s.tool_returns
     ${WANTED} join messages as s on ${SAME} and s.created_at >= w.created_at and s.created_at < w.created_at + interval '1 millisecond'`,
  ),
  passage: statement(
    'read-passages-to-embed',
    `select s.organization_id, s.id, s.archive_id as scope_id, null as part_id, null as role, null::bigint as seq,
       left(s.text, $4) as text ${WANTED} join passages as s on ${SAME}`,
  ),
  file_passage: statement(
    'read-file-passages-to-embed',
    `select s.organization_id, s.id, s.folder_id as scope_id, s.file_id as part_id, null as role, s.position::bigint as seq,
       left(s.text, $4) as text ${WANTED} join file_passages as s on ${SAME}`,
  ),
  tool: statement(
    'read-tools-to-embed',
    `select s.organization_id, s.id, s.organization_id as scope_id, null as part_id, null as role, null::bigint as seq,
       left(concat_ws('. ', translate(s.name, '_-', '  '), s.description, array_to_string(s.tags, ' ')), $4) as text
     ${WANTED} join tools as s on ${SAME}`,
  ),
}

/** The texts of what was claimed, cut to `maxCharacters`; what is gone is missing. */
export async function readTextsToEmbed(
  db: Queryable,
  claimed: readonly ClaimedText[],
  maxCharacters: number,
): Promise<TextToEmbed[]> {
  const texts: TextToEmbed[] = []
  for (const [kind, ofKind] of Map.groupBy(claimed, (one) => one.kind)) {
    const params: unknown[] = [
      ofKind.map((one) => one.organization_id),
      ofKind.map((one) => one.source_id),
      ofKind.map((one) => one.source_created_at.toISOString()),
    ]
    if (kind !== 'message') params.push(maxCharacters)
    const rows = await db.query<Row & MessageText>(READ[kind], params)
    const byId = new Map(ofKind.map((one) => [`${one.organization_id} ${one.source_id}`, one]))
    for (const { id, content, tool_returns, ...row } of rows) {
      const one = byId.get(`${row.organization_id} ${id}`)
      const text = kind === 'message' ? messageText({ content, tool_returns }).slice(0, maxCharacters) : row.text
      if (one !== undefined) texts.push({ ...one, ...row, text })
    }
  }
  return texts
}

interface MessageText {
  content: ContentPart[]
  tool_returns: ToolReturn[] | null
}

import { type Queryable, statement } from '#store/db.ts'
import type { PromptMetadata } from './prompt-metadata.ts'

/** What the prompt says about memory beyond the context: counters, and the distinct tags by skipping through their index. */
const counts = statement(
  'count-memory-for-prompt',
  `
with recursive home as (
  select a.id, a.passage_count from agent_archives as aa
  join archives as a on a.organization_id = aa.organization_id and a.id = aa.archive_id
  where aa.organization_id = $1 and aa.agent_id = $2
), tag (value) as (
  select (select min(t.tag) from passage_tags as t where t.organization_id = $1 and t.archive_id = home.id) from home
  union all
  select (select min(t.tag) from passage_tags as t
    where t.organization_id = $1 and t.archive_id = (select id from home) and t.tag > tag.value)
  from tag where tag.value is not null
)
select
  (select coalesce(sum(c.message_count), 0) from conversations as c where c.organization_id = $1 and c.agent_id = $2)::integer as messages,
  coalesce((select passage_count from home), 0) as archival_count,
  array(select value from tag where value is not null limit 100) as archival_tags`,
)

/** The new prompt in the thread, where turns read it, and in the system message, where clients do. */
const save = statement(
  'save-system-prompt',
  `
with thread as (
  update conversations as c set system_prompt = $3, prompt_metadata = $4::jsonb, updated_at = now()
  where c.organization_id = $1 and c.id = $2
  returning c.system_message_id, c.system_message_created_at
)
update messages as m set content = jsonb_build_array(jsonb_build_object('type', 'text', 'text', $3::text))
from thread
where m.organization_id = $1 and m.id = thread.system_message_id and m.created_at = thread.system_message_created_at`,
)

export async function countMemory(
  db: Queryable,
  organizationId: string,
  agentId: string,
): Promise<{ messages: number; archival_count: number; archival_tags: string[] }> {
  const [row] = await db.query<{ messages: number; archival_count: number; archival_tags: string[] }>(counts, [
    organizationId,
    agentId,
  ])
  return row ?? { messages: 0, archival_count: 0, archival_tags: [] }
}

export async function saveSystemPrompt(
  db: Queryable,
  thread: { organizationId: string; conversationId: string },
  prompt: string,
  metadata: PromptMetadata,
): Promise<void> {
  await db.query(save, [thread.organizationId, thread.conversationId, prompt, JSON.stringify(metadata)])
}

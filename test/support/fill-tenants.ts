import type { Db } from '#store/db.ts'

/** The tenant, agent, thread and archive that the plans ask for: they have the most rows. */
export const BUSY = {
  organization: 'org-1',
  agent: 'agent-1',
  conversation: 'conv-1',
  archive: 'archive-1',
  folder: 'folder-1',
  run: 'run-1',
}

/** Tenants × agents each; what an agent has is below. */
const TENANTS = 5
const AGENTS = 400

/** A few thousand rows in every table, over several tenants, with one busy agent, and fresh statistics. */
export async function fillTenants(db: Db): Promise<void> {
  const ago = (seconds: string) => `now() - (${seconds}) * interval '1 second'`
  // as long as what people and models write, so that reading rows has its true price
  const words = (n: string) =>
    `'word' || ${n} % 400 || ' common ' || md5(${n}::text) || ' ' || md5(${n} || 'a') || ' ' || md5(${n} || 'b') || ' ' || repeat('and so on it goes ', 30)`
  await db.execute(`
insert into organizations (id, name) select 'org-' || o, 'Organisation ' || o from generate_series(1, ${TENANTS}) as o;
create temp table owner as select 'org-' || o as org, o, n, (n - 1) * ${TENANTS} + o as k
  from generate_series(1, ${TENANTS}) as o cross join generate_series(1, ${AGENTS}) as n;
insert into agents (organization_id, id, name, agent_type, system, model, deployment_id, entity_id, created_at)
  select org, 'agent-' || n, 'Name ' || n, 'letta_v1_agent', 's', 'm/x', 'deployment-' || n, 'e', ${ago('k')} from owner;
insert into agent_tags select org, 'agent-' || n, 'tag-' || (n * t % 120) from owner cross join generate_series(1, 3) as t on conflict do nothing;
insert into blocks (organization_id, id, label, value, char_limit, created_at)
  select org, 'block-' || n, 'label-' || n % 80, 'v', 100, ${ago('k')} from owner;
insert into block_tags select org, 'block-' || n, 'tag-' || (n * t % 120) from owner cross join generate_series(1, 3) as t on conflict do nothing;
insert into agent_blocks (organization_id, agent_id, block_id, label) select org, 'agent-' || n, 'block-' || n, 'label-' || n % 80 from owner;
insert into agent_secrets (organization_id, agent_id, key, id, sealed) select org, 'agent-' || n, 'KEY', 'agent-env-' || n, 'v1.x' from owner;
insert into tools (organization_id, id, name, tool_type, json_schema, created_at)
  select org, 'tool-' || n, 'tool_' || n, 'custom', '{}', ${ago('k')} from owner;
insert into agent_tools (organization_id, agent_id, tool_id) select org, 'agent-' || n, 'tool-' || n % ${AGENTS} + 1 from owner;
insert into conversations (organization_id, id, agent_id, is_default, system_message_id, system_message_created_at, system_prompt, prompt_metadata)
  select org, 'conv-' || n, 'agent-' || n, true, 'message-s' || n, now(), 's', '{}' from owner;
insert into conversations (organization_id, id, agent_id, is_default, system_message_id, system_message_created_at, system_prompt, prompt_metadata)
  select org, 'conv-' || n || '-' || t, 'agent-' || n, false, 'message-s' || n, now(), 's', '{}' from owner cross join generate_series(1, 3) as t;
insert into conversation_blocks (organization_id, conversation_id, block_id, label, replaces_block_id, attached_at)
  select org, 'conv-' || n || '-1', 'block-' || n, 'label-' || n % 80, 'block-' || n % ${AGENTS} + 1, now() from owner;
insert into conversation_shares (organization_id, conversation_id, source_id, from_seq, to_seq)
  select org, 'conv-' || n || '-' || t, 'conv-' || n, n * 10, n * 10 + 20 from owner cross join generate_series(2, 3) as t;
insert into runs (organization_id, id, agent_id, conversation_id, status, request, lease_expires_at, created_at)
  select org, 'run-' || (n - 1) * 5 + r, 'agent-' || n, 'conv-' || n,
    case when r > 1 then 'completed' when n % 100 = 0 then 'running' when n % 100 = 1 then 'created' else 'failed' end, '{}',
    ${ago('k')}, ${ago('k * 10 + r')} from owner cross join generate_series(1, 5) as r;
insert into messages (organization_id, id, agent_id, conversation_id, role, run_id, step_id, search)
  select org, 'message-' || n || '-' || m, 'agent-' || n, 'conv-' || n, 'user', 'run-' || (n - 1) * 5 + m, 'step-' || n, to_tsvector('english', 'word' || m)
  from owner cross join generate_series(1, 5) as m;
insert into messages (organization_id, id, agent_id, conversation_id, role, run_id, content, search)
  select '${BUSY.organization}', 'message-busy-' || m, '${BUSY.agent}', '${BUSY.conversation}', 'user', 'run-' || m % 1500 + 1,
    jsonb_build_array(jsonb_build_object('type', 'text', 'text', ${words('m')})), to_tsvector('english', ${words('m')})
  from generate_series(1, 6000) as m;
insert into steps (organization_id, id, run_id, agent_id, conversation_id, step_index, status, created_at)
  select org, 'step-' || (n - 1) * 5 + s, 'run-' || (n - 1) * 5 + s, 'agent-' || n, 'conv-' || n, 1, 'success', ${ago('k * 10 + s')}
  from owner cross join generate_series(1, 5) as s;
insert into tool_calls (organization_id, id, run_id, step_id, agent_id, position, tool_call_id, tool_name, arguments, state)
  select org, 'call-' || (n - 1) * 5 + s, 'run-' || (n - 1) * 5 + s, 'step-' || (n - 1) * 5 + s, 'agent-' || n, 1, 'c', 't', '{}', 'finished'
  from owner cross join generate_series(1, 5) as s;
insert into provider_traces (organization_id, id, step_id, call_type, request, response)
  select org, 'provider_trace-' || (n - 1) * 5 + s, 'step-' || (n - 1) * 5 + s, 'agent_step', '{}', '{}'
  from owner cross join generate_series(1, 5) as s;
insert into archives (organization_id, id, name, passage_count) select org, 'archive-' || n, 'A', 2 from owner;
insert into agent_archives select org, 'agent-' || n, 'archive-' || n from owner;
insert into passages (organization_id, id, archive_id, text, tags, created_at)
  select org, 'passage-' || n || '-' || p, 'archive-' || n, 'word' || p, array['tag-' || p], ${ago('k')} from owner cross join generate_series(1, 2) as p;
insert into passages (organization_id, id, archive_id, text, tags, created_at)
  select '${BUSY.organization}', 'passage-busy-' || p, '${BUSY.archive}', ${words('p')}, array['tag-' || p % 100], ${ago('p')}
  from generate_series(1, 4000) as p;
update passages set fact_key = md5(id)::uuid, version = 3;
insert into passage_versions (organization_id, passage_id, version, text, tags, author_type, created_at)
  select organization_id, id, v, text, tags, 'user', created_at from passages cross join generate_series(1, 2) as v;
insert into embedding_models (handle, dimensions) values ('test/model', 384);
insert into embeddings (organization_id, source_id, kind, scope_id, created_at, model)
  select p.organization_id, p.id, 'passage', p.archive_id, p.created_at, 1 from passages as p;
insert into embedding_queue (organization_id, source_id, kind, source_created_at, due_at)
  select p.organization_id, p.id, 'passage', p.created_at, now() + interval '1 hour' from passages as p;
insert into passage_tags (organization_id, archive_id, tag, passage_id)
  select organization_id, archive_id, unnest(tags), id from passages;
insert into folders (organization_id, id, name, created_at) select org, 'folder-' || n, 'folder ' || n, ${ago('k')} from owner;
insert into agent_folders (organization_id, agent_id, folder_id) select org, 'agent-' || n, 'folder-' || n from owner;
insert into files (organization_id, id, folder_id, name, original_name, size_bytes, char_count, line_count, passage_count, created_at)
  select org, 'file-' || n, 'folder-' || n, 'a.txt', 'a.txt', 1, 1, 1, 1, ${ago('k')} from owner
  union all
  select '${BUSY.organization}', 'file-busy-' || f, '${BUSY.folder}', f || '.txt', 'a.txt', 1, 1, 1, 1, ${ago('f')} from generate_series(1, 1500) as f;
insert into agent_files (organization_id, id, agent_id, folder_id, file_id, created_at)
  select f.organization_id, 'file_agent-' || f.id, af.agent_id, f.folder_id, f.id, f.created_at from files as f
  join agent_folders as af on af.organization_id = f.organization_id and af.folder_id = f.folder_id;
insert into file_passages (organization_id, id, folder_id, file_id, position, start_line, end_line, text, created_at)
  select f.organization_id, 'passage-' || f.id || '-' || p, f.folder_id, f.id, p, p, p,
    'word' || (row_number() over ()) % 400 || ' and so on it goes', f.created_at from files as f cross join generate_series(1, 2) as p;
insert into jobs (organization_id, id, status, completed_at, created_at)
  select org, 'job-u' || n, 'completed', now(), ${ago('k')} from owner;
insert into run_events (organization_id, run_id, first_seq, last_seq, events, created_at)
  select org, 'run-' || n, s, s, '[]', ${ago('k * 10 + s')} from owner cross join generate_series(1, 5) as s;
insert into idempotency_keys (organization_id, key_hash, run_id, expires_at)
  select org, 'key-' || n || '-' || s, 'run-' || n, ${ago('k - 1000')} from owner cross join generate_series(1, 5) as s;
insert into webhook_deliveries (organization_id, id, run_id, url, status, completed_at, state, next_attempt_at, ended_at, created_at)
  select org, 'delivery-' || n, 'run-' || n, 'https://example.org/', 'completed', now(),
    case when n % 50 = 0 then 'dead' when n % 50 = 1 then 'pending' else 'delivered' end, ${ago('k - 1000')},
    case when n % 50 = 1 then null else ${ago('k')} end, ${ago('k')} from owner;
insert into schedules (organization_id, id, agent_id, message, request, input, created_by_id, next_due_at, last_due_at, created_at)
  select org, 'schedule-' || n || '-' || s, 'agent-' || n, '{}', '{}', '[]', 'u',
    case when s = 1 then ${ago('k - 1000')} end, ${ago('k')}, ${ago('k * 10 + s')} from owner cross join generate_series(1, 2) as s;
insert into batches (organization_id, id, item_count, created_by_id, completed_at, claimed_until, created_at)
  select org, 'job-' || n, 5, 'u', case when n % 50 = 0 then null else now() end, ${ago('k')}, ${ago('k')} from owner;
insert into batch_items (organization_id, batch_id, position, agent_id, run_id, request, input, state)
  select org, 'job-' || n, i, 'agent-' || i, 'run-' || (n - 1) * 5 + i, '{}', '[]',
    case when n % 50 > 0 or i = 1 then 'completed' when i = 2 then 'started' else 'waiting' end
  from owner cross join generate_series(1, 5) as i;
insert into identities (organization_id, id, identifier_key, name, identity_type, created_at)
  select org, 'identity-' || n, 'key-' || n, 'Name ' || n, 'user', ${ago('k')} from owner;
insert into agent_identities (organization_id, agent_id, identity_id) select org, 'agent-' || n, 'identity-' || n from owner;
insert into block_identities (organization_id, block_id, identity_id) select org, 'block-' || n, 'identity-' || n from owner;
insert into groups (organization_id, id, manager_type, description, manager_agent_id, turns_counter, created_at)
  select org, 'group-' || n, case when n % 4 = 0 then 'sleeptime' else 'supervisor' end, 'd', 'agent-' || n, 0, ${ago('k')} from owner;
insert into group_agents (organization_id, group_id, agent_id, position) select org, 'group-' || n, 'agent-' || n % ${AGENTS} + 1, 1 from owner;
insert into group_blocks (organization_id, group_id, block_id, position) select org, 'group-' || n, 'block-' || n, 1 from owner;
insert into templates (organization_id, id, project_id, name, snapshot, base_version, latest_version)
  select o.org, 'template-' || o.n, p.id, 'name-' || o.n, '{}', 1, 1 from owner as o
  join projects as p on p.organization_id = o.org and p.is_default where o.n <= 20;
insert into template_deployments (organization_id, id, template_id) select org, 'deployment-' || n, 'template-' || n % 20 + 1 from owner;
insert into companion_runs (organization_id, main_run_id, agent_id, id, group_id, due_at, started_at)
  select org, 'run-' || n, 'agent-' || n, 'run-c' || n, 'group-' || n % 100 + 1, ${ago('k')}, case when n % 50 > 0 then ${ago('k')} end from owner;
drop table owner;
`)
  // what vacuum does now and then: until then a GIN index keeps its newest entries in a list that it reads whole
  await db.execute(`
select gin_clean_pending_list(c.oid) from pg_class as c join pg_am as a on a.oid = c.relam where a.amname = 'gin' and c.relkind = 'i';
analyze;`)
}

import { afterAll, beforeAll, expect, test } from 'vitest'
import { BUSY, fillTenants } from '../../test/support/fill-tenants.ts'
import { openTestDatabase } from '../../test/support/test-database.ts'
import { listAgents } from './agents/agent-reader.ts'
import { finishBatch, listNextBatchItems, settleBatchItems } from './batches/advance-batch.ts'
import { listBatches, listBatchMessages } from './batches/batch-reader.ts'
import { claimBatches } from './batches/claim-batches.ts'
import { listBlocks } from './blocks/block-reader.ts'
import { listOverdueApprovals, listPendingApprovals, listPendingThreads } from './conversations/pending-approvals.ts'
import { findDefaultThread } from './conversations/reset-thread.ts'
import { countMemory } from './conversations/save-prompt.ts'
import { type Db, type Queryable, type Statement, statement } from './db.ts'
import { pruneIdempotencyKeys } from './idempotency/prune-idempotency-keys.ts'
import { findRunKeys } from './idempotency/run-key.ts'
import { listAgentMessages, listContextMessages } from './messages/message-reader.ts'
import { findMessages } from './messages/search-messages.ts'
import type { PageRequest } from './page.ts'
import { listPassages } from './passages/passage-reader.ts'
import { searchPassagesByWords } from './passages/passage-search.ts'
import { deleteOldRunEvents } from './run-events/delete-run-events.ts'
import { listActiveRunIds } from './runs/cancel-run.ts'
import { claimNextRun, takeOverRuns } from './runs/claim-run.ts'
import { findThreadOwner, listRunsBefore } from './runs/find-thread-owner.ts'
import { listCancelledRuns } from './runs/list-cancelled-runs.ts'
import { listWaitingThreads, NO_CURSOR } from './runs/list-waiting-threads.ts'
import { listRunMessages } from './runs/run-message-reader.ts'
import { listRuns } from './runs/run-reader.ts'
import { claimSchedules } from './schedules/claim-schedules.ts'
import { pruneSchedules } from './schedules/delete-schedule.ts'
import { listSchedules } from './schedules/schedule-reader.ts'
import { listSteps } from './steps/step-reader.ts'
import { listTags } from './tags/tag-reader.ts'
import { listToolCalls } from './tool-calls/list-tool-calls.ts'
import { listTools } from './tools/tool-reader.ts'
import { claimDeliveries } from './webhooks/claim-deliveries.ts'
import { listDeliveries } from './webhooks/delivery-reader.ts'
import { pruneDeliveries } from './webhooks/prune-deliveries.ts'

const { organization: org, agent: agentId, conversation: conversationId, archive: archiveId, run: runId } = BUSY
const page: PageRequest = { limit: 20, order: 'desc' }
const agentPage = { ...page, orderBy: 'created_at' as const }
const batch = { organization_id: org, id: 'job-50' }
const lease = { owner: 'me', leaseMs: 4000 }

/** What PostgreSQL runs for a foreign key when the row that it points at is deleted. */
const cascade = (table: string, column: string) => (db: Queryable) =>
  db.query(
    statement(`test-cascade-${table}`, `delete from only ${table} where organization_id = $1 and ${column} = $2`),
    [org, `${column.replace('_id', '')}-7`],
  )

/** Every index that is not a primary or unique constraint, with the statement that it is there for. */
const NEEDED_BY: Record<string, (db: Queryable) => Promise<unknown>> = {
  agents_by_created: (db) => listAgents(db, org, {}, agentPage),
  agents_by_name: (db) => listAgents(db, org, { name: 'Name 7' }, agentPage),
  agent_tags_by_tag: (db) => listAgents(db, org, { tags: ['tag-7'] }, agentPage),
  agent_blocks_by_block: (db) => listAgents(db, org, { blockId: 'block-7' }, agentPage),
  agent_tools_by_tool: cascade('agent_tools', 'tool_id'),
  agent_archives_by_archive: cascade('agent_archives', 'archive_id'),
  blocks_by_created: (db) => listBlocks(db, org, {}, page),
  blocks_by_label: (db) => listBlocks(db, org, { label: 'label-7' }, page),
  block_tags_by_tag: (db) => listBlocks(db, org, { tags: ['tag-7'] }, page),
  tools_by_created: (db) => listTools(db, org, {}, page),
  batch_items_started: (db) => settleBatchItems(db, batch),
  batch_items_waiting: (db) => listNextBatchItems(db, batch, 8),
  batches_by_created: (db) => listBatches(db, org, page),
  batches_open: (db) => claimBatches(db, 4, 1000),
  schedules_by_agent: (db) => listSchedules(db, org, agentId, page),
  schedules_done: (db) => pruneSchedules(db, 86_400_000, 1000),
  schedules_due: (db) => claimSchedules(db, 16, 1000),
  webhook_deliveries_by_created: (db) => listDeliveries(db, org, {}, page),
  webhook_deliveries_by_state: (db) => listDeliveries(db, org, { state: 'dead' }, page),
  webhook_deliveries_due: (db) => claimDeliveries(db, 4, 1000, []),
  webhook_deliveries_ended: (db) => pruneDeliveries(db, 86_400_000, 1000),
  idempotency_keys_by_expiry: (db) => pruneIdempotencyKeys(db, 100),
  conversations_default: (db) => findDefaultThread(db, org, agentId),
  conversations_pending: (db) => listOverdueApprovals(db, 60_000, 100),
  conversations_by_agent: (db) => countMemory(db, org, agentId),
  messages_by_agent: (db) =>
    listAgentMessages(db, {
      organizationId: org,
      agentId,
      conversationId: undefined,
      afterSeq: undefined,
      beforeSeq: undefined,
      limit: 20,
      order: 'desc',
    }),
  messages_by_conversation: (db) =>
    listContextMessages(db, org, {
      conversation_id: conversationId,
      context_start_seq: 100,
      context_start_at: new Date('2020-01-01'),
      system_message_id: 'message-s1',
    }),
  messages_by_run: (db) => listRunMessages(db, org, { runId }, page),
  messages_search: (db) =>
    findMessages(db, {
      organizationId: org,
      agentId,
      terms: ['word7', 'word8'],
      excluded: [],
      roles: ['user', 'assistant'],
      limit: 5,
      start: undefined,
      end: undefined,
    }),
  passages_by_archive: (db) => listPassages(db, org, { archiveId }, page),
  passages_search: (db) =>
    searchPassagesByWords(db, org, { terms: ['word7', 'word8'], excluded: [] }, { archiveId }, 5),
  passage_tags_by_passage: cascade('passage_tags', 'passage_id'),
  runs_active: (db) => listActiveRunIds(db, org, agentId),
  runs_by_agent: (db) => listRuns(db, org, { agentIds: [agentId] }, page),
  runs_by_created: (db) => listRuns(db, org, {}, page),
  run_events_by_age: (db) => deleteOldRunEvents(db, 86_400_000, 1000),
  runs_cancelling: (db) => listCancelledRuns(db, 'me'),
  runs_waiting: (db) => listWaitingThreads(db, NO_CURSOR),
  runs_running: (db) => takeOverRuns(db, lease, [], 16),
  runs_queued: (db) => claimNextRun(db, { organizationId: org, conversationId }, lease),
  steps_by_agent: (db) => listSteps(db, org, { agentId: 'agent-7' }, page),
  steps_by_created: (db) => listSteps(db, org, {}, page),
  steps_by_run: (db) => listSteps(db, org, { runId }, page),
  tool_calls_by_run: (db) => listToolCalls(db, org, runId, 'step-1'),
}

/** Statements that must not read a whole table either, by whatever index. */
const ALSO_INDEXED: Record<string, (db: Queryable) => Promise<unknown>> = {
  'what a run waits for': (db) => listRunsBefore(db, org, runId),
  'keys of a run': (db) => findRunKeys(db, org, ['key-7', 'key-8']),
  'requests that wait, of agents': (db) => listPendingApprovals(db, org, [agentId]),
  'requests that wait, of one agent': (db) => listPendingThreads(db, org, agentId),
  'the owner of a thread': (db) => findThreadOwner(db, org, { conversationId }),
  'a page of agents in the middle': (db) => listAgents(db, org, {}, { ...agentPage, after: 'agent-90' }),
  'a page of blocks in the middle': (db) => listBlocks(db, org, {}, { ...page, before: 'block-90' }),
  'messages of a batch': (db) => listBatchMessages(db, org, { batchId: batch.id }, page),
  'the end of a batch': (db) => finishBatch(db, batch),
  'messages of a step': (db) => listRunMessages(db, org, { runId, stepId: 'step-1' }, page),
  'messages of a run in the middle': (db) => listRunMessages(db, org, { runId }, { ...page, after: 'message-1-1' }),
  'passages of an agent by words and tag': (db) =>
    searchPassagesByWords(db, org, { terms: ['common'], excluded: ['word3'] }, { agentId, tags: ['tag-7'] }, 5),
  tags: (db) => listTags(db, org, undefined, { ...page, order: 'asc' }),
  'tools by name': (db) => listTools(db, org, { names: ['tool_7'] }, page),
}

let db: Db
/** Index of a partition → index of the whole table. */
let parents: Map<string, string>
/** Tables, and partitions, that are too big to be read whole. */
let bigTables: Set<string>

beforeAll(async () => {
  db = await openTestDatabase()
  await fillTenants(db)
  const inherits = await db.query<{ child: string; parent: string }>(
    statement(
      'test-index-parents',
      'select inhrelid::regclass::text as child, inhparent::regclass::text as parent from pg_inherits',
    ),
  )
  parents = new Map(inherits.map((row) => [row.child, row.parent]))
  const big = await db.query<{ name: string }>(
    statement('test-big-tables', `select relname as name from pg_class where relkind = 'r' and reltuples > 500`),
  )
  bigTables = new Set(big.map((row) => row.name))
})
afterAll(() => db[Symbol.asyncDispose]())

interface PlanNode {
  'Node Type': string
  'Relation Name'?: string
  'Index Name'?: string
  Plans?: PlanNode[]
}

const nodesOf = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(nodesOf)]

/** The plans of the statements that `run` sends; none of them is carried out. */
async function explain(run: (db: Queryable) => Promise<unknown>): Promise<PlanNode[]> {
  const sent: [Statement, readonly unknown[]][] = []
  const recorder: Queryable = {
    async query(asked, params = []) {
      sent.push([asked, params])
      return []
    },
  }
  await run(recorder).catch(() => undefined)
  const nodes: PlanNode[] = []
  for (const [{ name, text }, params] of sent) {
    const [row] = await db.query<{ 'QUERY PLAN': { Plan: PlanNode }[] }>(
      statement(`explain-${name}`, `explain (format json) ${text}`),
      params,
    )
    for (const { Plan } of row?.['QUERY PLAN'] ?? []) nodes.push(...nodesOf(Plan))
  }
  return nodes
}

const indexesIn = (nodes: PlanNode[]): string[] =>
  nodes.flatMap(({ 'Index Name': name }) => (name === undefined ? [] : [parents.get(name) ?? name]))

const wholeReads = (nodes: PlanNode[]): string[] =>
  nodes.flatMap((node) => {
    const table = node['Relation Name']
    return node['Node Type'] === 'Seq Scan' && table !== undefined && bigTables.has(table) ? [table] : []
  })

test.each(Object.entries(NEEDED_BY))('%s is used by the statement that it is there for', async (index, run) => {
  const nodes = await explain(run)
  expect(indexesIn(nodes)).toContain(index)
  expect(wholeReads(nodes)).toEqual([])
})

test.each(Object.entries(ALSO_INDEXED))('%s: no table is read whole', async (_, run) => {
  const nodes = await explain(run)
  expect(nodes.length).toBeGreaterThan(0)
  expect(wholeReads(nodes)).toEqual([])
})

test('every index has a statement that needs it', async () => {
  const indexes = await db.query<{ name: string }>(
    statement(
      'test-list-indexes',
      `select c.relname as name from pg_index as i join pg_class as c on c.oid = i.indexrelid
       where c.relnamespace = 'public'::regnamespace and not c.relispartition
         and not exists (select from pg_constraint as k where k.conindid = i.indexrelid and k.contype in ('p', 'u'))
       order by 1`,
    ),
  )
  expect(indexes.map((row) => row.name)).toEqual(Object.keys(NEEDED_BY).toSorted())
})

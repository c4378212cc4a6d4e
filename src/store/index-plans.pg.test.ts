import { afterAll, beforeAll, expect, test } from 'vitest'
import { closedView } from '#memory/files/open-files.ts'
import { ensureVectorIndex } from '#store/embeddings/vector-index.ts'
import { BUSY, fillTenants } from '../../test/support/fill-tenants.ts'
import { openTestDatabase } from '../../test/support/test-database.ts'
import { listBlocksOfAgents } from './agents/agent-block-reader.ts'
import { listAgentFileStates, listAgentFiles } from './agents/agent-file-reader.ts'
import { setFileViews } from './agents/agent-file-writer.ts'
import { findAgentsCalled, listAgentNames } from './agents/agent-name-reader.ts'
import { countAgents, listAgents } from './agents/agent-reader.ts'
import { listSecretsOfAgents } from './agents/agent-secret-reader.ts'
import { listToolsOfAgents } from './agents/agent-tool-reader.ts'
import { listArchives } from './archives/archive-reader.ts'
import { finishBatch, listNextBatchItems, settleBatchItems } from './batches/advance-batch.ts'
import { listBatches, listBatchMessages } from './batches/batch-reader.ts'
import { claimBatches } from './batches/claim-batches.ts'
import { listBlocks } from './blocks/block-reader.ts'
import { listBlockVersions } from './blocks/block-version-reader.ts'
import { listNewestMessages } from './conversations/choose-context.ts'
import { listConversations } from './conversations/conversation-reader.ts'
import { deleteConversation } from './conversations/delete-conversation.ts'
import { findThreadToExport } from './conversations/find-thread-to-export.ts'
import { shareMessages } from './conversations/fork-conversation.ts'
import { findThread } from './conversations/load-thread.ts'
import { listOverdueApprovals, listPendingApprovals, listPendingThreads } from './conversations/pending-approvals.ts'
import { emptyDefaultThread, findDefaultThread } from './conversations/reset-thread.ts'
import { countMemory } from './conversations/save-prompt.ts'
import { type Db, type Queryable, type Statement, statement } from './db.ts'
import { claimTextsToEmbed, storeEmbeddings } from './embeddings/embedding-queue.ts'
import { findExactly } from './embeddings/nearest.ts'
import { filePassageSource } from './files/file-passage-search.ts'
import { listFiles, listFolderPassages } from './files/file-reader.ts'
import { claimFilesToRead, endJobsOfDeletedFiles } from './files/read-file-queue.ts'
import { listFolders } from './folders/folder-reader.ts'
import { claimCompanionRuns, pruneCompanionRuns } from './groups/companion-runs.ts'
import { listGroups, listGroupsOfManagers } from './groups/group-reader.ts'
import { listCompanions } from './groups/group-writer.ts'
import { pruneIdempotencyKeys } from './idempotency/prune-idempotency-keys.ts'
import { findRunKeys } from './idempotency/run-key.ts'
import { listIdentities, listIdentitiesOfAgents } from './identities/identity-reader.ts'
import { findJob, listJobs } from './jobs/job-reader.ts'
import { listToolsOfMcpServer } from './mcp-servers/mcp-server-reader.ts'
import { listAllMessages } from './messages/all-message-reader.ts'
import { listAgentMessages, listContextMessages } from './messages/message-reader.ts'
import { messageSource, rankMessages, readMessageFeatures } from './messages/rank-messages.ts'
import { listNewestPlaced } from './messages/search-messages.ts'
import { listThreadMessages } from './messages/thread-message-reader.ts'
import type { PageRequest } from './page.ts'
import { findFactId, findKnownFacts } from './passages/find-known-facts.ts'
import { listPassages } from './passages/passage-reader.ts'
import { passageSource, resolveTags } from './passages/passage-search.ts'
import { findPassageVersions, listPassageVersions } from './passages/passage-version-reader.ts'
import { findProviderTrace } from './provider-traces/provider-trace.ts'
import { deleteOldRunEvents } from './run-events/delete-run-events.ts'
import { listActiveRunIds } from './runs/cancel-run.ts'
import { claimNextRun, takeOverRuns } from './runs/claim-run.ts'
import { findRunEnd } from './runs/find-run-end.ts'
import { findThreadOwner, listRunsBefore } from './runs/find-thread-owner.ts'
import { listCancelledRuns } from './runs/list-cancelled-runs.ts'
import { listWaitingThreads, NO_CURSOR } from './runs/list-waiting-threads.ts'
import { listRunMessages } from './runs/run-message-reader.ts'
import { findRunMetrics } from './runs/run-metrics.ts'
import { listRuns } from './runs/run-reader.ts'
import { findRunTrace } from './runs/run-trace.ts'
import { sumUsageOfTree } from './runs/sum-usage.ts'
import { claimSchedules } from './schedules/claim-schedules.ts'
import { pruneSchedules } from './schedules/delete-schedule.ts'
import { listSchedules } from './schedules/schedule-reader.ts'
import { rankByWords } from './search/rank-by-words.ts'
import { readFeatures } from './search/read-features.ts'
import { weighTerms } from './search/weigh-terms.ts'
import { listSteps } from './steps/step-reader.ts'
import { listTags } from './tags/tag-reader.ts'
import { listDeployedAgents, listDeployments } from './templates/template-reader.ts'
import { findToolTime } from './tool-calls/find-tool-time.ts'
import { listToolCalls } from './tool-calls/list-tool-calls.ts'
import { listTools } from './tools/tool-reader.ts'
import { claimDeliveries } from './webhooks/claim-deliveries.ts'
import { listDeliveries } from './webhooks/delivery-reader.ts'
import { pruneDeliveries } from './webhooks/prune-deliveries.ts'

const {
  organization: org,
  agent: agentId,
  conversation: conversationId,
  archive: archiveId,
  folder: folderId,
  run: runId,
} = BUSY
const page: PageRequest = { limit: 20, order: 'desc' }
const VERSIONS = { limit: 20, order: 'desc', after: 9 } as const
const agentPage = { ...page, orderBy: 'created_at' as const }
const conversationPage = { ...page, orderBy: 'created_at' as const }
const thread = {
  id: conversationId,
  agent_id: agentId,
  is_default: true,
  system_message_id: 'message-s1',
  system_message_created_at: new Date(),
}
/** For what runs in a transaction: the recorder takes its statements as they come. */
const asDb = (db: Queryable): Db =>
  ({ ...db, transaction: (work: (tx: Queryable) => unknown) => work(db) }) as unknown as Db
const WORDS = ['word7', 'word8'].map((word, index) => ({
  place: index + 1,
  query: `'${word}'`,
  english: `'${word}'`,
  count: 5,
  total: 500,
  weight: 1,
}))
const VECTORS = [{ model: { id: 1, dimensions: 384 }, vector: new Float32Array(384).fill(0.1) }] as const
const EMBEDDED = {
  organization_id: org,
  source_id: 'passage-7',
  kind: 'passage',
  source_created_at: new Date(),
  token: '00000000-0000-4000-8000-000000000000',
  attempts: 1,
  scope_id: archiveId,
  part_id: null,
  role: null,
  seq: null,
  vector: VECTORS[0].vector,
} as const
const FACT = '00000000-0000-4000-8000-000000000007'
const batch = { organization_id: org, id: 'job-50' }
const lease = { owner: 'me', leaseMs: 4000 }

/** What PostgreSQL runs for a foreign key when the row that it points at is deleted. */
const cascade = (table: string, column: string) => (db: Queryable) =>
  db.query(
    statement(
      `test-cascade-${table}-${column}`,
      `delete from only ${table} where organization_id = $1 and ${column} = $2`,
    ),
    [org, `${column.replace('_id', '')}-7`],
  )

/** Every index that is not a primary or unique constraint, with the statement that it is there for. */
const NEEDED_BY: Record<string, (db: Queryable) => Promise<unknown>> = {
  agents_by_created: (db) => listAgents(db, org, {}, agentPage),
  agents_by_name: (db) => listAgents(db, org, { name: 'Name 7' }, agentPage),
  agent_tags_by_tag: (db) => listAgents(db, org, { tags: ['tag-7'] }, agentPage),
  agent_blocks_by_block: (db) => listAgents(db, org, { blockId: 'block-7' }, agentPage),
  agent_tools_by_tool: cascade('agent_tools', 'tool_id'),
  agent_files_by_agent: (db) => listAgentFiles(db, org, { agentId, isOpen: undefined }, page),
  agent_files_by_file: cascade('agent_files', 'file_id'),
  agent_folders_by_folder: cascade('agent_folders', 'folder_id'),
  archives_by_created: (db) => listArchives(db, org, {}, page),
  file_passages_by_file: cascade('file_passages', 'file_id'),
  file_passages_by_folder: (db) => listFolderPassages(db, org, folderId, page),
  file_passages_search: (db) =>
    rankByWords(db, filePassageSource({ organizationId: org, agentId }), WORDS, [], { limit: 5, atLeast: 0 }),
  embedding_queue_due: (db) => claimTextsToEmbed(db, 64, 60_000),
  embeddings_by_scope: (db) =>
    findExactly(
      db,
      VECTORS[0].model,
      VECTORS[0].vector,
      { organizationId: org, kind: 'passage', scopeIds: [archiveId], start: new Date(Date.now() - 60_000) },
      5,
    ),
  files_due: (db) => claimFilesToRead(db, 2, 15_000),
  jobs_running: (db) => endJobsOfDeletedFiles(db),
  files_by_folder: (db) => listFiles(db, org, { folderId, withContent: false }, page),
  folders_by_created: (db) => listFolders(db, org, {}, page),
  jobs_by_created: (db) => listJobs(db, org, {}, page),
  agent_archives_by_archive: cascade('agent_archives', 'archive_id'),
  agents_by_deployment: (db) => listDeployedAgents(db, org, 'deployment-7', 'e'),
  agent_identities_by_identity: (db) => listAgents(db, org, { identityId: 'identity-7' }, agentPage),
  block_identities_by_identity: (db) => listBlocks(db, org, { identityId: 'identity-7' }, page),
  identities_by_created: (db) => listIdentities(db, org, {}, page),
  identities_by_key: (db) => listIdentities(db, org, { identifierKey: 'key-7' }, page),
  groups_behind_agent: (db) => listCompanions(db, org, 'agent-8'),
  groups_by_created: (db) => listGroups(db, org, {}, page),
  groups_by_manager: (db) => listGroupsOfManagers(db, org, ['agent-7']),
  group_agents_by_agent: cascade('group_agents', 'agent_id'),
  group_blocks_by_block: cascade('group_blocks', 'block_id'),
  template_deployments_by_template: (db) => listDeployments(db, org, 'template-7', { after: '', limit: 5 }),
  companion_runs_due: (db) => claimCompanionRuns(db, 4, 1000),
  companion_runs_by_agent: cascade('companion_runs', 'agent_id'),
  companion_runs_by_group: cascade('companion_runs', 'group_id'),
  companion_runs_started: (db) => pruneCompanionRuns(db, 86_400_000, 100),
  blocks_by_created: (db) => listBlocks(db, org, {}, page),
  blocks_by_label: (db) => listBlocks(db, org, { label: 'label-7' }, page),
  block_tags_by_tag: (db) => listBlocks(db, org, { tags: ['tag-7'] }, page),
  tools_by_created: (db) => listTools(db, org, {}, page),
  tools_by_mcp_server: (db) => listToolsOfMcpServer(db, org, 'mcp_server-7'),
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
  conversations_listed: (db) => listConversations(db, org, { archiveStatus: 'all' }, conversationPage),
  conversation_blocks_by_block: cascade('conversation_blocks', 'block_id'),
  conversation_blocks_label: (db) => findThread(db, org, conversationId),
  conversation_shares_by_source: (db) => emptyDefaultThread(asDb(db), org, agentId),
  messages_by_agent: (db) =>
    listAgentMessages(db, {
      organizationId: org,
      agentId,
      limit: 20,
      order: 'desc',
    }),
  messages_by_conversation: (db) =>
    listContextMessages(db, org, {
      conversation_id: conversationId,
      context_start_seq: 100,
      context_start_at: new Date('2020-01-01'),
      system_message_id: 'message-s1',
      summary_message_id: 'message-s2',
      summary_message_created_at: new Date(),
    }),
  messages_by_run: (db) => listRunMessages(db, org, { runId }, page),
  messages_by_seq: (db) => listAllMessages(db, org, false, { limit: 20, order: 'desc' }),
  messages_search: (db) => rankMessages(db, { organizationId: org, agentId }, WORDS, [], { limit: 5, atLeast: 0 }),
  passages_fact_key: (db) => findKnownFacts(db, org, agentId, [FACT]),
  passages_by_archive: (db) => listPassages(db, org, { archiveId }, page),
  passages_search: (db) =>
    rankByWords(db, passageSource({ organizationId: org, archiveId }), WORDS, [], { limit: 5, atLeast: 0 }),
  passage_tags_by_passage: cascade('passage_tags', 'passage_id'),
  provider_traces_by_step: (db) => findProviderTrace(db, org, 'step-1'),
  runs_active: (db) => listActiveRunIds(db, org, agentId),
  runs_by_agent: (db) => listRuns(db, org, { agentIds: [agentId] }, page),
  runs_by_created: (db) => listRuns(db, org, {}, page),
  run_events_by_age: (db) => deleteOldRunEvents(db, 86_400_000, 1000),
  runs_cancelling: (db) => listCancelledRuns(db, 'me'),
  runs_sent_by_run: (db) => sumUsageOfTree(db, org, 'run-1'),
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
  'the metrics of a run': (db) => findRunMetrics(db, org, runId),
  'the course of a run': (db) => findRunTrace(db, org, runId, 1000),
  'the time of the tools of a step': (db) => findToolTime(db, org, runId, 'step-1'),
  'an agent by its name': (db) => findAgentsCalled(db, org, 'Name 7'),
  'the names of agents': (db) => listAgentNames(db, org, 1000),
  'requests that wait, of agents': (db) => listPendingApprovals(db, org, [agentId]),
  'requests that wait, of one agent': (db) => listPendingThreads(db, org, agentId),
  'the owner of a thread': (db) => findThreadOwner(db, org, { conversationId }),
  'a page of agents in the middle': (db) => listAgents(db, org, {}, { ...agentPage, after: 'agent-90' }),
  'agents by their last run': (db) => listAgents(db, org, {}, { ...agentPage, orderBy: 'last_run_completion' }),
  'agents by their last change': (db) => listAgents(db, org, {}, { ...agentPage, orderBy: 'updated_at' }),
  'agents by a part of the name': (db) => listAgents(db, org, { queryText: 'ame 7' }, agentPage),
  'agents by what they stopped for': (db) => listAgents(db, org, { lastStopReason: 'error' }, agentPage),
  'agents of a search': (db) => listAgents(db, org, { and: [{ tags: ['tag-7'], matchesAllTags: true }] }, agentPage),
  'a count of agents': (db) => countAgents(db, org, { tags: ['tag-7'] }),
  'blocks, tools and secrets of a page of agents': async (db) => {
    const agentIds = Array.from({ length: 50 }, (_, n) => `agent-${n}`)
    await listBlocksOfAgents(db, org, agentIds)
    await listToolsOfAgents(db, org, agentIds)
    await listSecretsOfAgents(db, org, agentIds)
  },
  'the newest messages of a thread': (db) =>
    listNewestMessages(
      db,
      org,
      {
        conversation_id: conversationId,
        system_message_id: 'message-s1',
        summary_message_id: null,
        pending_approval_id: null,
        is_busy: false,
      },
      20,
    ),
  'the thread of an export': (db) => findThreadToExport(db, org, agentId, null),
  'blocks by a part of the value': (db) => listBlocks(db, org, { valueSearch: 'v' }, page),
  'blocks by the number of their agents': (db) => listBlocks(db, org, { agentCountAbove: 1 }, page),
  'a page of blocks in the middle': (db) => listBlocks(db, org, {}, { ...page, before: 'block-90' }),
  'messages of a batch': (db) => listBatchMessages(db, org, { batchId: batch.id }, page),
  'messages of a conversation': (db) => listThreadMessages(db, org, thread, { limit: 20, order: 'desc' }),
  'messages of all agents by words': (db) =>
    rankMessages(db, { organizationId: org }, WORDS, [], { limit: 5, atLeast: 0 }),
  'messages of a conversation by words': (db) =>
    rankMessages(db, { organizationId: org, conversationId }, WORDS, ['word9'], { limit: 5, atLeast: 0 }),
  'what stands beside messages': (db) =>
    readMessageFeatures(
      db,
      { organizationId: org, agentId },
      [{ id: 'message-1', seq: 7, conversation_id: conversationId, created_at: new Date() }],
      2,
      WORDS,
      VECTORS,
    ),
  'words of a query in an agent': (db) =>
    weighTerms(db, messageSource({ organizationId: org, agentId }), ['word7', 'word8']),
  'the newest messages': (db) => listNewestPlaced(db, { organizationId: org }, 5),
  'similar passages': (db) => readFeatures(db, 'passages', org, ['passage-7'], WORDS, VECTORS),
  'vectors that are stored': (db) => storeEmbeddings(db, VECTORS[0].model, [EMBEDDED]),
  'passages that are deleted': cascade('embeddings', 'source_id'),
  'conversations of an agent': (db) => listConversations(db, org, { agentId, archiveStatus: 'all' }, conversationPage),
  'a conversation that goes away': (db) => deleteConversation(db, org, 'conv-1-1', 'u'),
  'what a fork shares': (db) => shareMessages(db, org, { forkId: 'conv-1-1', sourceId: conversationId }, undefined),
  'the end of a batch': (db) => finishBatch(db, batch),
  'messages of a step': (db) => listRunMessages(db, org, { runId, stepId: 'step-1' }, page),
  'messages of a run in the middle': (db) => listRunMessages(db, org, { runId }, { ...page, after: 'message-1-1' }),
  'passages of an agent by words and tag': async (db) => {
    const scope = await resolveTags(db, { organizationId: org, agentId, tags: ['tag-7'] })
    await rankByWords(db, passageSource(scope), WORDS, ['word3'], { limit: 5, atLeast: 0 })
  },
  'passages of an archive with all of some tags': (db) =>
    resolveTags(db, { organizationId: org, archiveId, tags: ['tag-7', 'tag-8'], tagMatchMode: 'all' }),
  'a passage that says the same': (db) => findFactId(db, org, archiveId, FACT),
  'versions of a passage': async (db) => {
    await listPassageVersions(db, org, 'passage-busy-7', VERSIONS)
    await findPassageVersions(db, org, 'passage-busy-7', [1, 2])
  },
  'versions of a block': (db) => listBlockVersions(db, org, 'block-7', VERSIONS),
  'identities of agents': (db) => listIdentitiesOfAgents(db, org, ['agent-7', 'agent-8']),
  'the end of a run and what follows it': (db) => findRunEnd(db, org, runId),
  tags: (db) => listTags(db, org, undefined, { ...page, order: 'asc' }),
  'files of an agent': (db) => listAgentFileStates(db, org, 'agent-7'),
  'folders of an agent': (db) => listFolders(db, org, { agentId: 'agent-7' }, page),
  'agents of a folder': (db) => listAgents(db, org, { folderId: 'folder-7' }, agentPage),
  'agents of an archive': (db) => listAgents(db, org, { archiveId: 'archive-7' }, agentPage),
  'a thread with folders': (db) => findThread(db, org, 'conv-7'),
  'a job of either kind': (db) => findJob(db, org, 'job-7'),
  'jobs in the middle': (db) => listJobs(db, org, {}, { ...page, after: 'job-7' }),
  'a file that is opened': (db) => setFileViews(db, org, 'agent-7', [closedView('file-7')]),
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

test('how many vectors tenants have is counted without reading them', async () => {
  // as the server does by itself
  await db.maintain('test-vacuum', ['vacuum embeddings'])
  const nodes = await explain((recorder) => ensureVectorIndex(recorder as Db, { dimensions: 384 }))
  const reads = nodes.filter((node) => node['Relation Name'] === 'embeddings').map((node) => node['Node Type'])
  expect(reads).toEqual(['Index Only Scan'])
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

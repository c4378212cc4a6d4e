import { type RawBuilder, sql } from 'kysely'
import { allOf } from '#store/all-of.ts'
import { sqlBuilder, toStatement } from '#store/builder.ts'
import { containsPattern } from '#store/contains-pattern.ts'
import { listPendingApprovals } from '#store/conversations/pending-approvals.ts'
import { type Queryable, statement } from '#store/db.ts'
import { listGroupsOfManagers } from '#store/groups/group-reader.ts'
import { hasIdentity } from '#store/identities/has-identity.ts'
import { listIdentitiesOfAgents } from '#store/identities/identity-reader.ts'
import { keysetPage, type PageRequest } from '#store/page.ts'
import { listBlocksOfAgents } from './agent-block-reader.ts'
import { listFoldersOfAgents } from './agent-folder-reader.ts'
import { type Agent, type AgentRow, agentColumns, agentTagsColumn, messageIdsColumn } from './agent-row.ts'
import { listSecretsOfAgents } from './agent-secret-reader.ts'
import { listToolsOfAgents } from './agent-tool-reader.ts'
import { agentNotFound } from './require-agent.ts'

/** Which relations are read; the others are given empty. */
export interface AgentInclude {
  blocks?: boolean
  tools?: boolean
  tags?: boolean
  folders?: boolean
  secrets?: boolean
  identities?: boolean
  managedGroup?: boolean
  pendingApproval?: boolean
}

/** Everything that the store knows of an agent. */
export const ALL_RELATIONS: AgentInclude = {
  blocks: true,
  tools: true,
  tags: true,
  folders: true,
  secrets: true,
  identities: true,
  managedGroup: true,
}

const FIND_AGENT = statement(
  'find-agent',
  `select ${agentColumns('a')}, ${agentTagsColumn('a')}, ${messageIdsColumn('a')} from agents as a
   where a.organization_id = $1 and a.id = $2`,
)
/** The agent with the relations asked for, in one statement and one more for each. Throws not_found. */
export async function getAgent(
  db: Queryable,
  organizationId: string,
  id: string,
  include: AgentInclude = ALL_RELATIONS,
): Promise<Agent> {
  const rows = await db.query<AgentRow & Pick<Agent, 'tags' | 'message_ids'>>(FIND_AGENT, [organizationId, id])
  const [agent] = await withRelations(db, organizationId, rows, include)
  if (agent === undefined) throw agentNotFound(id)
  return agent
}

/** Every condition that is given must hold. */
export interface AgentFilter {
  id?: string | undefined
  name?: string | undefined
  /** Substring of the name, in any case. */
  queryText?: string | undefined
  tags?: readonly string[] | undefined
  /** All of the tags instead of one of them. */
  matchesAllTags?: boolean | undefined
  projectId?: string | undefined
  templateId?: string | undefined
  baseTemplateId?: string | undefined
  /** Only agents made of a template of this name, and now of this version of it. */
  template?: { name: string; project?: string | undefined; version?: number | 'latest' | undefined } | undefined
  createdById?: string | undefined
  lastStopReason?: string | undefined
  /** Only agents that have this block. */
  blockId?: string | undefined
  /** Only agents that have this archive. */
  archiveId?: string | undefined
  /** Only agents that have this folder. */
  folderId?: string | undefined
  /** Only agents that have this identity; one with any of these keys. */
  identityId?: string | undefined
  identifierKeys?: readonly string[] | undefined
  includesHidden?: boolean | undefined
  /** These too. */
  and?: readonly AgentFilter[] | undefined
}

export type AgentOrder = 'created_at' | 'updated_at' | 'last_run_completion'

/** A page of agents in two statements and one more for each relation. A cursor that no agent has is ignored, as in V1. */
export async function listAgents(
  db: Queryable,
  organizationId: string,
  filter: AgentFilter,
  page: PageRequest & { orderBy: AgentOrder },
  include: AgentInclude = {},
): Promise<Agent[]> {
  const known = await withKnownCursors(db, organizationId, page)
  const paging = keysetPage(known, { table: 'agents', orderBy: page.orderBy, organizationId })
  const query = sql`select ${sql.raw(agentColumns('agents'))}, ${sql.raw(agentTagsColumn('agents'))},
      ${sql.raw(messageIdsColumn('agents'))}
    from agents where ${conditions(organizationId, filter)} and ${paging.where}
    order by ${paging.orderBy} limit ${page.limit}`
  const rows = await db.query<AgentRow & Pick<Agent, 'tags' | 'message_ids'>>(
    ...toStatement('list-agents', query.compile(sqlBuilder)),
  )
  return withRelations(db, organizationId, paging.finish(rows), include)
}

export async function countAgents(db: Queryable, organizationId: string, filter: AgentFilter): Promise<number> {
  const query = sql`select count(*) as count from agents where ${conditions(organizationId, filter)}`
  const [row] = await db.query<{ count: number }>(...toStatement('count-agents', query.compile(sqlBuilder)))
  return row?.count ?? 0
}

const EXISTING_AGENTS = statement(
  'list-existing-agents',
  'select a.id from agents as a where a.organization_id = $1 and a.id = any($2::text[])',
)

async function withKnownCursors(db: Queryable, organizationId: string, page: PageRequest): Promise<PageRequest> {
  const cursors = [page.after, page.before].filter((cursor) => cursor !== undefined)
  if (cursors.length === 0) return page
  const known = (await db.query<{ id: string }>(EXISTING_AGENTS, [organizationId, cursors])).map((row) => row.id)
  const ifKnown = (cursor: string | undefined) => (cursor !== undefined && known.includes(cursor) ? cursor : undefined)
  return { ...page, after: ifKnown(page.after), before: ifKnown(page.before) }
}

async function withRelations(
  db: Queryable,
  organizationId: string,
  rows: (AgentRow & Pick<Agent, 'tags' | 'message_ids'>)[],
  include: AgentInclude,
): Promise<Agent[]> {
  const ids = rows.map((row) => row.id)
  const blocks = include.blocks && ids.length > 0 ? await listBlocksOfAgents(db, organizationId, ids) : new Map()
  const tools = include.tools && ids.length > 0 ? await listToolsOfAgents(db, organizationId, ids) : new Map()
  const folders = include.folders && ids.length > 0 ? await listFoldersOfAgents(db, organizationId, ids) : new Map()
  const secrets = include.secrets && ids.length > 0 ? await listSecretsOfAgents(db, organizationId, ids) : new Map()
  const identities =
    include.identities && ids.length > 0 ? await listIdentitiesOfAgents(db, organizationId, ids) : new Map()
  const groups =
    include.managedGroup && ids.length > 0 ? await listGroupsOfManagers(db, organizationId, ids) : new Map()
  const pending = include.pendingApproval && ids.length > 0 ? await listPendingApprovals(db, organizationId, ids) : []
  return rows.map((row) => ({
    ...row,
    pending_approval: pending.find((message) => message.agent_id === row.id) ?? null,
    identities: identities.get(row.id) ?? [],
    managed_group: groups.get(row.id) ?? null,
    folders: folders.get(row.id) ?? [],
    tags: include.tags ? row.tags : [],
    blocks: blocks.get(row.id) ?? [],
    tools: tools.get(row.id) ?? [],
    secrets: secrets.get(row.id) ?? [],
  }))
}

function conditions(organizationId: string, filter: AgentFilter): RawBuilder<unknown> {
  const equals = (column: string, value: string | undefined) =>
    value !== undefined && sql`${sql.ref(`agents.${column}`)} = ${value}`
  return allOf(
    sql`agents.organization_id = ${organizationId}`,
    equals('id', filter.id),
    equals('name', filter.name),
    equals('project_id', filter.projectId),
    equals('template_id', filter.templateId),
    equals('base_template_id', filter.baseTemplateId),
    equals('created_by_id', filter.createdById),
    equals('last_stop_reason', filter.lastStopReason),
    filter.queryText !== undefined && sql`agents.name ilike ${containsPattern(filter.queryText)}`,
    hasTags(organizationId, filter),
    filter.blockId !== undefined &&
      sql`agents.id in (select ab.agent_id from agent_blocks as ab
        where ab.organization_id = ${organizationId} and ab.block_id = ${filter.blockId})`,
    filter.archiveId !== undefined &&
      sql`agents.id in (select aa.agent_id from agent_archives as aa
        where aa.organization_id = ${organizationId} and aa.archive_id = ${filter.archiveId})`,
    filter.folderId !== undefined &&
      sql`agents.id in (select af.agent_id from agent_folders as af
        where af.organization_id = ${organizationId} and af.folder_id = ${filter.folderId})`,
    hasIdentity('agent', organizationId, filter),
    isOfTemplate(organizationId, filter),
    !filter.includesHidden && sql`agents.hidden is not true`,
    ...(filter.and ?? []).map((other) => conditions(organizationId, other)),
  )
}

function isOfTemplate(organizationId: string, { template }: AgentFilter): RawBuilder<unknown> | undefined {
  if (template === undefined) return undefined
  const { name, project, version } = template
  const templates = allOf(
    sql`t.organization_id = ${organizationId} and t.name = ${name}`,
    project !== undefined &&
      sql`t.project_id in (select p.id from projects as p
        where p.organization_id = ${organizationId} and p.slug = ${project})`,
  )
  if (version === undefined) return sql`agents.base_template_id in (select t.id from templates as t where ${templates})`
  return sql`agents.template_id in (select v.id from templates as t
    join template_versions as v on v.organization_id = t.organization_id and v.template_id = t.id
      and v.version = ${version === 'latest' ? sql`t.latest_version` : sql`${version}::integer`}
    where ${templates})`
}

function hasTags(organizationId: string, filter: AgentFilter): RawBuilder<unknown> | undefined {
  if (filter.tags === undefined || filter.tags.length === 0) return undefined
  const tags = [...new Set(filter.tags)]
  const needed = filter.matchesAllTags ? tags.length : 1
  return sql`agents.id in (select t.agent_id from agent_tags as t
    where t.organization_id = ${organizationId} and t.tag = any(${tags}::text[])
    group by t.agent_id having count(*) >= ${needed}::integer)`
}

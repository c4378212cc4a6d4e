import { type Queryable, statement } from '#store/db.ts'

/** A tool's code with what it runs with; secrets are sealed. */
export interface ToolCodeRow {
  id: string
  name: string
  tool_type: string
  project_id: string | null
  source_type: string | null
  source_code: string | null
  pip_requirements: { name: string; version: string | null }[] | null
  npm_requirements: { name: string; version: string | null }[] | null
  metadata: Record<string, unknown> | null
  return_char_limit: number
}

/** The variables of an organisation's local sandbox and of one agent, by key; the agent's come second and win. */
export interface EnvironmentRow {
  /** `config` of the local sandbox. */
  sandbox_config: Record<string, unknown> | null
  variables: { id: string; key: string; sealed_value: string }[]
  secrets: { key: string; sealed: string }[]
  agent_name: string | null
  agent_description: string | null
}

const ENVIRONMENT = `
  (select s.config from sandbox_configs as s where s.organization_id = $1 and s.sandbox_type = 'local') as sandbox_config,
  (select coalesce(jsonb_agg(jsonb_build_object('id', v.id, 'key', v.key, 'sealed_value', v.sealed_value)), '[]')
    from sandbox_configs as s
    join sandbox_variables as v on v.organization_id = s.organization_id and v.sandbox_config_id = s.id
    where s.organization_id = $1 and s.sandbox_type = 'local') as variables,
  (select coalesce(jsonb_agg(jsonb_build_object('key', a.key, 'sealed', a.sealed)), '[]') from agent_secrets as a
    where a.organization_id = $1 and a.agent_id = $2 and a.sealed is not null) as secrets,
  (select a.name from agents as a where a.organization_id = $1 and a.id = $2) as agent_name,
  (select a.description from agents as a where a.organization_id = $1 and a.id = $2) as agent_description`

const CODE = `t.id, t.name, t.tool_type, t.project_id, t.source_type, t.source_code, t.pip_requirements,
  t.npm_requirements, t.metadata, t.return_char_limit`

const LOAD_TOOL_CODE = statement(
  'load-tool-code',
  `select ${CODE}, ${ENVIRONMENT} from tools as t where t.organization_id = $1 and t.name = $3`,
)

/** Everything that a call of a tool needs, by its name. `agentId` null is nobody's call. */
export async function loadToolCode(
  db: Queryable,
  organizationId: string,
  agentId: string | null,
  name: string,
): Promise<(ToolCodeRow & EnvironmentRow) | undefined> {
  const [row] = await db.query<ToolCodeRow & EnvironmentRow>(LOAD_TOOL_CODE, [organizationId, agentId, name])
  return row
}

const LOAD_ENVIRONMENT = statement('load-tool-environment', `select ${ENVIRONMENT}`)

/** The variables alone, for code that no tool has. */
export async function loadEnvironment(
  db: Queryable,
  organizationId: string,
  agentId: string | null,
): Promise<EnvironmentRow> {
  const [row] = await db.query<EnvironmentRow>(LOAD_ENVIRONMENT, [organizationId, agentId])
  return row ?? { sandbox_config: null, variables: [], secrets: [], agent_name: null, agent_description: null }
}

const LIST_PYTHON_SOURCES = statement(
  'list-python-sources-of-agent',
  `select t.name, t.source_code, t.pip_requirements from agent_tools as at
   join tools as t on t.organization_id = at.organization_id and t.id = at.tool_id
   where at.organization_id = $1 and at.agent_id = $2 and t.tool_type = 'custom' and t.source_type = 'python'
   order by at.attached_at, t.id`,
)

/** The sources of the agent's own Python tools, for code that calls them. */
export function listPythonSources(
  db: Queryable,
  organizationId: string,
  agentId: string,
): Promise<Pick<ToolCodeRow, 'name' | 'source_code' | 'pip_requirements'>[]> {
  return db.query(LIST_PYTHON_SOURCES, [organizationId, agentId])
}

import { getProject } from '#agent/projects/create-project.ts'
import { resolveTools } from '#agent/resolve-tools.ts'
import { invalidArgument } from '#platform/errors.ts'
import { newId } from '#platform/ids.ts'
import { getAgent } from '#store/agents/agent-reader.ts'
import { isUniqueViolation } from '#store/database-error.ts'
import type { Queryable } from '#store/db.ts'
import { findTemplate } from '#store/templates/template-reader.ts'
import type { TemplateRow, TemplateSnapshot } from '#store/templates/template-row.ts'
import { insertTemplate } from '#store/templates/template-writer.ts'
import { type FoundTemplate, getTemplateSnapshot } from './get-template.ts'
import { parseAgentFile } from './parse-agent-file.ts'
import { checkTemplateName, nameTaken, newTemplateName } from './template-name.ts'
import { snapshotOf } from './template-snapshot.ts'

/** Who makes it, and in which project: id or slug, the default one with null. */
export interface TemplateAuthor {
  organizationId: string
  userId: string
  project: string | null
}

export type TemplateSource =
  | { type: 'agent'; agentId: string }
  | { type: 'agent_file'; file: Record<string, unknown>; updatesTools: boolean }
  | { type: 'template'; found: FoundTemplate }

/**
 * Makes a template with its first version. Throws not_found (agent, project), conflict (name), invalid_argument (name, file, tools
 * that are not there).
 */
export async function createTemplate(
  db: Queryable,
  author: TemplateAuthor,
  source: TemplateSource,
  name: string | undefined,
): Promise<TemplateRow> {
  const { organizationId, userId } = author
  const wanted = checkTemplateName(name ?? newTemplateName())
  const project = await getProject(db, organizationId, author.project)
  const snapshot = await readSource(db, organizationId, source)
  const description = source.type === 'template' ? source.found.template.description : snapshot.agent.description
  await insertTemplate(db, organizationId, {
    id: newId('template'),
    projectId: project.id,
    name: wanted,
    description,
    snapshot,
    versionId: newId('template'),
    userId,
  }).catch((error: unknown) => {
    throw isUniqueViolation(error) ? nameTaken(wanted) : error
  })
  const template = await findTemplate(db, organizationId, project.id, wanted)
  if (template === undefined) throw new Error('the new template is gone')
  return template
}

async function readSource(db: Queryable, organizationId: string, source: TemplateSource): Promise<TemplateSnapshot> {
  if (source.type === 'agent') return snapshotOf(await getAgent(db, organizationId, source.agentId))
  if (source.type === 'template') return (await getTemplateSnapshot(db, organizationId, source.found)).snapshot
  return readAgentFile(db, organizationId, source.file, source.updatesTools)
}

/** Throws invalid_argument: the file, or tools that the server does not have. */
export async function readAgentFile(
  db: Queryable,
  organizationId: string,
  file: Record<string, unknown>,
  updatesTools: boolean,
): Promise<TemplateSnapshot> {
  if (updatesTools) {
    throw invalidArgument(
      'INVALID_ARGUMENT: update_existing_tools: a template changes no tools. Leave the field out, and send changed tools to PUT /v1/tools.',
    )
  }
  const snapshot = parseAgentFile(file)
  await resolveTools(db, organizationId, snapshot.agent.tools, [])
  return snapshot
}

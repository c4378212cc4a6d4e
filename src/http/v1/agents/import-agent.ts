import Type from 'typebox'
import { importAgents } from '#agent/agent-file/import-agents.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { readAgentFile } from './agent-file/read-agent-file.ts'
import { EMBEDDING_HEADER, readImportForm } from './agent-file/read-import-form.ts'

const optionalText = (description: string) => Type.Optional(Type.String({ description }))
const older = (name: string) => Type.Optional(Type.String({ deprecated: true, description: `Older name of ${name}` }))

/** For the description alone: the form is read as it arrives. */
const Form = Type.Object({
  file: Type.String({ format: 'binary', description: 'An agent file (.af) of today or of the format before it' }),
  name: optionalText('Name of the first agent'),
  append_copy_suffix: Type.Boolean({ default: true, description: 'Put _copy behind the names in the file' }),
  override_existing_tools: Type.Boolean({
    default: true,
    description: 'Replace tools of the same name; never those that the server brings',
  }),
  model: optionalText('Handle for every agent, instead of the one in the file'),
  embedding: optionalText('Handle for every agent, instead of the one in the file'),
  secrets: optionalText('JSON object: values of the secrets, of which the file has the names'),
  strip_messages: Type.Boolean({ default: false, description: 'Begin with an empty history' }),
  strip_archives: Type.Boolean({ default: false, description: 'Begin with an empty archive' }),
  project_id: optionalText('Project of the agents'),
  override_name: older('name'),
  override_model_handle: older('model'),
  override_embedding_handle: older('embedding'),
  env_vars_json: older('secrets'),
})

const ImportedAgents = Type.Object({
  agent_ids: Type.Array(Type.String()),
  not_imported: Type.Array(Type.String(), {
    description: 'Parts of the file that this server does not make, such as groups, or files without their text',
  }),
})

export function importAgent(app: App, context: Context): void {
  app.post(
    '/v1/agents/import',
    {
      config: { permission: 'agents:write' },
      validatorCompiler: () => () => true,
      schema: {
        operationId: 'import_agent',
        tags: ['agents'],
        summary:
          'Make the agents of an agent file, with their blocks, tools, folders, archives and messages: all of it or nothing',
        consumes: ['multipart/form-data'],
        headers: Type.Object({ [EMBEDDING_HEADER]: Type.Optional(Type.String()) }),
        body: Form,
        response: { 200: ImportedAgents },
      },
    },
    async (request) => {
      const { actor } = request
      const { file, projectId, options } = await readImportForm(request, context.config.maxBodyBytes)
      const bundle = readAgentFile(file)
      const { db, models, secrets, config } = context
      const { defaultModel, defaultEmbedding, globalMaxContextWindow: maxContextWindow } = config
      const deps = { db, models, secrets, defaultModel, defaultEmbedding, maxContextWindow }
      const author = { ...actor, projectId: projectId ?? actor.projectId }
      return { agent_ids: await importAgents(deps, author, bundle, options), not_imported: bundle.leftOut }
    },
  )
}

import type { BundledTool } from '#agent/agent-file/bundle.ts'
import { type LegacyFields, withoutLegacyFields } from '#http/v1/agents/to-agent-input.ts'
import type { NewBlockInput } from '#memory/block-rules.ts'
import { corrupted } from './corrupted.ts'
import type { FileBlock, FileTool } from './file-schema.ts'

const DEFAULT_RETURN_CHAR_LIMIT = 50_000

/** A block of a file. V1 did not keep to its limits: a value that is longer brings its own. */
export function readBlock(block: FileBlock): NewBlockInput {
  return {
    label: block.label,
    value: block.value,
    limit: block.limit == null ? undefined : Math.max(block.limit, block.value.length, 1),
    description: block.description,
    read_only: block.read_only,
    metadata: block.metadata ?? block.metadata_,
    tags: block.tags,
    is_template: block.is_template,
    template_name: block.template_name,
    preserve_on_migration: block.preserve_on_migration,
    hidden: block.hidden,
  }
}

/** A tool of a file. Throws invalid_argument where it has no name, or no schema that a model could be shown. */
export function readTool(tool: FileTool, place: string): BundledTool['tool'] {
  const schema = tool.json_schema
  const name = tool.name ?? schema?.name
  if (typeof name !== 'string' || name === '') throw corrupted(`${place}.name is missing.`)
  if (name.length > 200) throw corrupted(`${place}.name has more than 200 characters.`)
  if (schema == null) throw corrupted(`${place}.json_schema is missing: it tells models how to call '${name}'.`)
  const type = tool.tool_type ?? 'custom'
  return {
    name,
    tool_type: type,
    description: tool.description ?? (typeof schema.description === 'string' ? schema.description : null),
    source_type: tool.source_type ?? null,
    // code stands only in tools of people: what the server brings is in the server
    source_code: type.startsWith('letta_') ? null : (tool.source_code ?? null),
    json_schema: schema,
    args_json_schema: tool.args_json_schema ?? null,
    tags: tool.tags ?? [],
    return_char_limit: tool.return_char_limit ?? DEFAULT_RETURN_CHAR_LIMIT,
    pip_requirements: requirements(tool.pip_requirements),
    npm_requirements: requirements(tool.npm_requirements),
    default_requires_approval: tool.default_requires_approval ?? null,
    enable_parallel_execution: tool.enable_parallel_execution ?? false,
    metadata: tool.metadata_ ?? null,
  }
}

const requirements = (given: FileTool['pip_requirements']) =>
  given == null ? null : given.map(({ name, version }) => ({ name, version: version ?? null }))

/** What a file says of the model: files with `model` say it themselves, the others in `llm_config`. */
export function readModel(agent: Omit<LegacyFields, 'secrets' | 'tool_exec_environment_variables'>) {
  const llm = agent.llm_config ?? {}
  const { model, embedding, model_settings, context_window_limit } =
    agent.model == null
      ? withoutLegacyFields({
          ...agent,
          reasoning: agent.reasoning ?? (llm.enable_reasoner === true && budgetOf(llm) > 0 ? true : null),
          max_reasoning_tokens: agent.max_reasoning_tokens ?? budgetOf(llm),
        })
      : withoutLegacyFields({ ...agent, llm_config: null })
  return { model, embedding, model_settings, context_window_limit }
}

const budgetOf = (llm: Record<string, unknown>): number =>
  typeof llm.max_reasoning_tokens === 'number' ? llm.max_reasoning_tokens : 0

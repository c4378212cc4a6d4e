import Type, { type Static } from 'typebox'
import { variablesOf } from '#agent/templates/template-snapshot.ts'
import { AnyObject, Nullable } from '#http/wire/nullable.ts'
import type { TemplateSnapshot } from '#store/templates/template-row.ts'

const Variables = Type.Object({
  version: Type.String(),
  data: Type.Array(Type.Object({ key: Type.String(), type: Type.String() })),
})
const NullableNumber = Nullable(Type.Number())
const NullableBoolean = Nullable(Type.Boolean())

const Agent = Type.Object({
  entityId: Type.String(),
  name: Type.String(),
  agentType: Type.String(),
  model: Type.String(),
  systemPrompt: Type.String(),
  toolIds: Type.Array(Type.String()),
  sourceIds: Type.Array(Type.String()),
  memoryVariables: Variables,
  toolVariables: Variables,
  tags: Type.Array(Type.String()),
  identityIds: Type.Array(Type.String()),
  toolRules: Type.Array(AnyObject),
  properties: Type.Object({
    enable_reasoner: NullableBoolean,
    put_inner_thoughts_in_kwargs: NullableBoolean,
    context_window_limit: NullableNumber,
    max_tokens: NullableNumber,
    max_reasoning_tokens: NullableNumber,
    max_files_open: NullableNumber,
    message_buffer_autoclear: NullableBoolean,
    verbosity_level: Type.String(),
    reasoning_effort: Type.String(),
    per_file_view_window_char_limit: NullableNumber,
    parallel_tool_calls: NullableBoolean,
    temperature: NullableNumber,
  }),
})

const Block = Type.Object({
  entityId: Type.String(),
  label: Type.String(),
  value: Type.String(),
  limit: Type.Number(),
  description: Type.String(),
  preserveOnMigration: NullableBoolean,
  readOnly: Type.Boolean(),
})

export const SnapshotSchema = Type.Object({
  agents: Type.Array(Agent),
  blocks: Type.Array(Block),
  relationships: Type.Array(Type.Object({ agentEntityId: Type.String(), blockEntityId: Type.String() })),
  configuration: AnyObject,
  type: Type.String(),
  version: Type.String(),
})

/** What a version has, as the wire shows it; tools are those that have the names now. */
export function presentSnapshot(
  { agent, blocks }: TemplateSnapshot,
  version: string,
  tools: readonly { id: string }[],
): Static<typeof SnapshotSchema> {
  return {
    agents: [
      {
        entityId: agent.entity_id,
        name: agent.name,
        agentType: agent.agent_type,
        model: agent.model,
        systemPrompt: agent.system,
        toolIds: tools.map(({ id }) => id),
        sourceIds: [],
        memoryVariables: { version: '1', data: variablesOf(blocks).map((key) => ({ key, type: 'string' })) },
        toolVariables: { version: '1', data: [] },
        tags: agent.tags,
        identityIds: [],
        toolRules: agent.tool_rules,
        properties: propertiesOf(agent),
      },
    ],
    blocks: blocks.map((block) => ({
      entityId: block.entity_id,
      label: block.label,
      value: block.value,
      limit: block.char_limit,
      description: block.description ?? '',
      preserveOnMigration: block.preserve_on_migration,
      readOnly: block.read_only,
    })),
    relationships: blocks.map((block) => ({ agentEntityId: agent.entity_id, blockEntityId: block.entity_id })),
    configuration: {},
    type: agent.enable_sleeptime ? 'sleeptime' : 'classic',
    version,
  }
}

// V1's schema has no null for these two: what providers do where nothing is set
const DEFAULT_LEVEL = 'medium'
const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh']
const LEVELS = ['low', 'medium', 'high']

function propertiesOf(agent: TemplateSnapshot['agent']): Static<typeof Agent>['properties'] {
  const settings = agent.model_settings
  const { thinking, reasoning } = settings as {
    thinking?: { type?: unknown; budget_tokens?: unknown } | null
    reasoning?: { reasoning_effort?: unknown } | null
  }
  const number = (value: unknown) => (typeof value === 'number' ? value : null)
  const oneOf = (values: string[], value: unknown) => values.find((known) => known === value) ?? DEFAULT_LEVEL
  return {
    enable_reasoner: typeof thinking?.type === 'string' ? thinking.type === 'enabled' : null,
    put_inner_thoughts_in_kwargs: null,
    context_window_limit: agent.context_window_limit,
    max_tokens: number(settings.max_output_tokens),
    max_reasoning_tokens: number(thinking?.budget_tokens),
    max_files_open: agent.max_files_open,
    message_buffer_autoclear: agent.message_buffer_autoclear,
    verbosity_level: oneOf(LEVELS, settings.verbosity),
    reasoning_effort: oneOf(EFFORTS, reasoning?.reasoning_effort),
    per_file_view_window_char_limit: agent.per_file_view_window_char_limit,
    parallel_tool_calls: typeof settings.parallel_tool_calls === 'boolean' ? settings.parallel_tool_calls : null,
    temperature: number(settings.temperature),
  }
}

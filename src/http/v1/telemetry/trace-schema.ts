import Type, { type Static } from 'typebox'
import { AnyObject, Nullable, presentTime, Timestamp } from '#http/wire/nullable.ts'
import type { ProviderTraceRow } from '#store/provider-traces/provider-trace.ts'

const NullableString = Nullable(Type.String())

/** What was said to a provider and back. */
export const ProviderTraceSchema = Type.Object({
  id: Type.String(),
  request_json: Type.Unsafe<Record<string, unknown>>({
    ...AnyObject,
    description: 'The body that was sent, in the words of the provider',
  }),
  response_json: Type.Unsafe<Record<string, unknown>>({
    ...AnyObject,
    description: 'The answer put together from its pieces: content, tool_calls, finish_reason, usage; or the error',
  }),
  step_id: NullableString,
  agent_id: NullableString,
  agent_tags: Nullable(Type.Array(Type.String())),
  call_type: NullableString,
  run_id: NullableString,
  source: NullableString,
  org_id: NullableString,
  compaction_settings: Nullable(AnyObject),
  llm_config: Nullable(AnyObject),
  billing_context: Type.Null(),
  created_by_id: NullableString,
  last_updated_by_id: Type.Null(),
  created_at: Timestamp,
  updated_at: Type.Null(),
})

export function presentProviderTrace(
  row: ProviderTraceRow,
  organizationId: string,
): Static<typeof ProviderTraceSchema> {
  return {
    id: row.id,
    request_json: row.request,
    response_json: row.response,
    step_id: row.step_id,
    agent_id: row.agent_id,
    agent_tags: row.agent_tags,
    call_type: row.call_type,
    run_id: row.run_id,
    source: 'perdure',
    org_id: organizationId,
    compaction_settings: null,
    llm_config: row.llm_config,
    billing_context: null,
    created_by_id: row.created_by_id,
    last_updated_by_id: null,
    created_at: presentTime(row.created_at),
    updated_at: null,
  }
}

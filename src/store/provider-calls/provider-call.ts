/** A row of the ledger for a call that is no step of a run. */
export interface ProviderCall {
  id: string
  purpose: 'summary' | 'generate'
  provider_name: string
  model_handle: string
  status: 'success' | 'failed' | 'cancelled'
  error_type: string | null
  attempts: number
  input_tokens: number
  cached_input_tokens: number
  cache_write_tokens: number
  output_tokens: number
  reasoning_tokens: number
  first_token_ms: number | null
  total_ms: number
  /** ISO 8601; part of the key, so that a statement that is repeated finds the row. */
  created_at: string
}

/** The columns that a `ProviderCall` says itself, with their types; who writes it knows the others. */
const GIVEN = {
  id: 'text',
  purpose: 'text',
  provider_name: 'text',
  model_handle: 'text',
  status: 'text',
  error_type: 'text',
  attempts: 'integer',
  input_tokens: 'integer',
  cached_input_tokens: 'integer',
  cache_write_tokens: 'integer',
  output_tokens: 'integer',
  reasoning_tokens: 'integer',
  first_token_ms: 'integer',
  total_ms: 'integer',
} satisfies Partial<Record<keyof ProviderCall, string>>

const names = Object.keys(GIVEN)
export const GIVEN_COLUMNS = names.join(', ')
/** The same as values of the record `n`. */
export const GIVEN_VALUES = names.map((name) => `n.${name}`).join(', ')
export const GIVEN_RECORD = Object.entries(GIVEN)
  .map(([name, type]) => `${name} ${type}`)
  .join(', ')

interface CallSource {
  /** Relation that must have its row. */
  from: string
  json: string
  organizationId: string
  agentId: string
  conversationId: string
  runId: string
}

/** The insert that writes `ProviderCall[]` (a JSON array) into the ledger, once. */
export const recordedCalls = (
  source: CallSource,
): string => `insert into provider_calls (organization_id, run_id, agent_id, conversation_id, ${GIVEN_COLUMNS}, created_at)
  select ${source.organizationId}::text, ${source.runId}, ${source.agentId}, ${source.conversationId}, ${GIVEN_VALUES}, n.created_at
  from ${source.from} cross join jsonb_to_recordset(${source.json}) as n (${GIVEN_RECORD}, created_at timestamptz)
  on conflict do nothing`

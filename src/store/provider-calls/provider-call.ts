/** A row of the ledger for a call that is no step of a run. */
export interface ProviderCall {
  id: string
  purpose: 'summary'
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
): string => `insert into provider_calls (organization_id, id, purpose, run_id,
    agent_id, conversation_id, provider_name, model_handle, status, error_type, attempts, input_tokens, cached_input_tokens,
    cache_write_tokens, output_tokens, reasoning_tokens, first_token_ms, total_ms, created_at)
  select ${source.organizationId}::text, n.id, n.purpose, ${source.runId}, ${source.agentId}, ${source.conversationId}, n.provider_name,
    n.model_handle, n.status, n.error_type, n.attempts, n.input_tokens, n.cached_input_tokens, n.cache_write_tokens,
    n.output_tokens, n.reasoning_tokens, n.first_token_ms, n.total_ms, n.created_at
  from ${source.from} cross join jsonb_to_recordset(${source.json}) as n (id text, purpose text, provider_name text,
    model_handle text, status text, error_type text, attempts integer, input_tokens integer, cached_input_tokens integer,
    cache_write_tokens integer, output_tokens integer, reasoning_tokens integer, first_token_ms integer, total_ms integer,
    created_at timestamptz)
  on conflict do nothing`

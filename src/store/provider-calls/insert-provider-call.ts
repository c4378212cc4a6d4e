import { type Queryable, statement } from '#store/db.ts'

/** A call to a provider that belongs to no run, as a row of the ledger. */
export interface ProviderCall {
  id: string
  purpose: 'generate'
  agent_id: string
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
}

const INSERT_PROVIDER_CALL = statement(
  'insert-provider-call',
  `insert into provider_calls (organization_id, id, project_id, purpose, agent_id, provider_name, model_handle, status, error_type,
    attempts, input_tokens, cached_input_tokens, cache_write_tokens, output_tokens, reasoning_tokens, first_token_ms, total_ms)
  select $1, n.id, $2, n.purpose, n.agent_id, n.provider_name, n.model_handle, n.status, n.error_type, n.attempts,
    n.input_tokens, n.cached_input_tokens, n.cache_write_tokens, n.output_tokens, n.reasoning_tokens, n.first_token_ms, n.total_ms
  from jsonb_to_record($3::jsonb) as n (id text, purpose text, agent_id text, provider_name text, model_handle text, status text,
    error_type text, attempts integer, input_tokens integer, cached_input_tokens integer, cache_write_tokens integer,
    output_tokens integer, reasoning_tokens integer, first_token_ms integer, total_ms integer)`,
)

export async function insertProviderCall(
  db: Queryable,
  { organizationId, projectId }: { organizationId: string; projectId: string | null },
  call: ProviderCall,
): Promise<void> {
  await db.query(INSERT_PROVIDER_CALL, [organizationId, projectId, JSON.stringify(call)])
}

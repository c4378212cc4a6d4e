import { type Queryable, statement } from '#store/db.ts'
import { GIVEN_COLUMNS, GIVEN_RECORD, GIVEN_VALUES, type ProviderCall } from './provider-call.ts'

const INSERT_PROVIDER_CALL = statement(
  'insert-provider-call',
  `insert into provider_calls (organization_id, project_id, agent_id, ${GIVEN_COLUMNS})
   select $1, $2, $3, ${GIVEN_VALUES} from jsonb_to_record($4::jsonb) as n (${GIVEN_RECORD})`,
)

/** A call to a provider that belongs to no run: in the ledger it has the time of its end. */
export async function insertProviderCall(
  db: Queryable,
  { organizationId, projectId }: { organizationId: string; projectId: string | null },
  agentId: string,
  call: ProviderCall,
): Promise<void> {
  await db.query(INSERT_PROVIDER_CALL, [organizationId, projectId, agentId, JSON.stringify(call)])
}

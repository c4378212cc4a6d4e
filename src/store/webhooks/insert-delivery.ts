/**
 * The common table expression that puts the callback of an ended run into the outbox, in the very statement that ends it.
 * `source` is a relation with the run's id, callback_url, status, completed_at, metadata and error; runs without a callback and
 * runs that have not ended give no row.
 * @param organizationId the parameter of the statement that holds it
 */
export function runDeliveryInsert(source: string, organizationId = '$1'): string {
  return `
  insert into webhook_deliveries (organization_id, id, run_id, url, status, completed_at, metadata)
  select ${organizationId}, 'delivery-' || substr(e.id, 5), e.id, e.callback_url, e.status, e.completed_at,
    coalesce(e.metadata, '{}') || case when e.error is null then '{}' else jsonb_build_object('error', e.error) end
  from ${source} as e where e.callback_url is not null and e.completed_at is not null
  on conflict do nothing`
}

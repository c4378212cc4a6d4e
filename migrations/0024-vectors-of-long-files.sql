-- The passages behind the fiftieth of a file are found by their words, and by their meaning when nothing newer waits for a vector: a memory of an agent does not wait
-- for the rest of a long file.
create or replace function perdure_queue_embeddings() returns trigger language plpgsql as $$
begin
  if not exists (select from embedding_models as m where m.is_current) then
    return null;
  end if;
  if tg_table_name = 'messages' then
    insert into embedding_queue (organization_id, source_id, kind, source_created_at)
    select n.organization_id, n.id, 'message', n.created_at from new_rows as n where n.search is not null
    on conflict do nothing;
  elsif tg_table_name = 'file_passages' then
    insert into embedding_queue (organization_id, source_id, kind, source_created_at, priority)
    select n.organization_id, n.id, 'file_passage', n.created_at, case when n.position > 50 then 1 else 0 end from new_rows as n
    on conflict (organization_id, source_id) do update set due_at = now(), token = null, attempts = 0, error = null, priority = excluded.priority;
  else
    insert into embedding_queue (organization_id, source_id, kind, source_created_at)
    select n.organization_id, n.id, tg_argv[0], n.created_at from new_rows as n
    on conflict (organization_id, source_id) do update set due_at = now(), token = null, attempts = 0, error = null, priority = 0;
  end if;
  return null;
end $$;

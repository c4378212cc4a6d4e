-- A text that has changed. Whoever is at work on the old one finds that its token is gone. The text decides, and not its words in `search`: "now" and "not" are none
-- there. While no vectors are made, that of the old text is deleted: it would be found, and taken for a new one when they are made again.
create or replace function perdure_queue_changed_embeddings() returns trigger language plpgsql as $$
declare
  organizations text[];
  ids text[];
  times timestamptz[];
begin
  if tg_argv[0] = 'passage' then
    select array_agg(n.organization_id), array_agg(n.id), array_agg(n.created_at) into organizations, ids, times
    from new_rows as n join old_rows as o on o.organization_id = n.organization_id and o.id = n.id
    where o.text <> n.text;
  else
    select array_agg(n.organization_id), array_agg(n.id), array_agg(n.created_at) into organizations, ids, times
    from new_rows as n join old_rows as o on o.organization_id = n.organization_id and o.id = n.id
    where (o.name, o.description, o.tags) is distinct from (n.name, n.description, n.tags);
  end if;
  if ids is null then
    return null;
  end if;
  if exists (select from embedding_models as m where m.is_current) then
    insert into embedding_queue (organization_id, source_id, kind, source_created_at)
    select c.organization_id, c.id, tg_argv[0], c.created_at from unnest(organizations, ids, times) as c (organization_id, id, created_at)
    on conflict (organization_id, source_id) do update set due_at = now(), token = null, attempts = 0, error = null, priority = 0;
  else
    delete from embeddings as e using unnest(organizations, ids) as c (organization_id, id)
    where e.organization_id = c.organization_id and e.source_id = c.id;
  end if;
  return null;
end $$;

create function perdure_check_archive_bytes(archive_id text, bytes bigint, max_bytes bigint) returns void language plpgsql as $$
begin
  if max_bytes > 0 and bytes > max_bytes then
    raise exception using errcode = 'PD002', message = format(
      'The archive %s can have %s bytes of text (PERDURE_MAX_ARCHIVE_SIZE), and would have %s. Delete passages, or store further ones in another archive.',
      archive_id, max_bytes, bytes);
  end if;
end $$;

create or replace function perdure_count_new_passages() returns trigger language plpgsql as $$
declare
  grown record;
begin
  for grown in
    with added as (
      select n.organization_id, n.archive_id, sum(octet_length(n.text)) as bytes from new_rows as n group by n.organization_id, n.archive_id
    )
    update archives as a set passage_bytes = a.passage_bytes + added.bytes
    from added where a.organization_id = added.organization_id and a.id = added.archive_id
    returning a.id, a.passage_count, a.passage_bytes,
      perdure_limit(a.organization_id, 'archive_passages') as max_passages, perdure_limit(a.organization_id, 'archive_bytes') as max_bytes
  loop
    if grown.max_passages > 0 and grown.passage_count > grown.max_passages then
      raise exception using errcode = 'PD002', message = format(
        'The archive %s can have %s passages (PERDURE_MAX_ARCHIVE_PASSAGES), and would have %s. Delete some of them, or store further ones in another archive.',
        grown.id, grown.max_passages, grown.passage_count);
    end if;
    perform perdure_check_archive_bytes(grown.id, grown.passage_bytes, grown.max_bytes);
  end loop;
  return null;
end $$;

-- A text that grows is counted against the limit of its archive as a new one is; one that shrinks never is.
create or replace function perdure_count_changed_passages() returns trigger language plpgsql as $$
declare
  grown record;
begin
  for grown in
    with changed as (
      select n.organization_id, n.archive_id, sum(octet_length(n.text) - octet_length(o.text)) as bytes
      from new_rows as n join old_rows as o on o.organization_id = n.organization_id and o.id = n.id
      where n.text <> o.text group by n.organization_id, n.archive_id
    )
    update archives as a set passage_bytes = a.passage_bytes + changed.bytes
    from changed where a.organization_id = changed.organization_id and a.id = changed.archive_id and changed.bytes <> 0
    returning a.id, a.passage_bytes, changed.bytes, perdure_limit(a.organization_id, 'archive_bytes') as max_bytes
  loop
    if grown.bytes > 0 then
      perform perdure_check_archive_bytes(grown.id, grown.passage_bytes, grown.max_bytes);
    end if;
  end loop;
  return null;
end $$;

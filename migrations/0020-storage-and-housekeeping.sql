-- Uploads whose bytes wait outside of the database: noted before the first byte is written, so that none is forgotten. There is no foreign
-- key: bytes outlive their tenant until somebody deletes them.
create table stored_uploads (
  organization_id text collate "C" not null,
  file_id text collate "C" not null,
  -- 'folder' or 's3'
  storage text not null,
  -- true from the moment on that a row of `files` knows of them
  is_placed boolean not null default false,
  created_at timestamptz not null default now(),
  primary key (organization_id, file_id)
);

-- What agents may have at most. The rows of the organisation '' are the server's settings, written when it starts; those of an organisation
-- go before them. 0: no limit.
create table memory_limits (
  organization_id text collate "C" not null,
  name text not null,
  value bigint not null check (value >= 0),
  primary key (organization_id, name)
);
insert into memory_limits (organization_id, name, value) values
  ('', 'archive_passages', 1000000), ('', 'archive_bytes', 2147483648), ('', 'agent_blocks', 100), ('', 'agent_folders', 100),
  ('', 'folder_files', 10000);

create function perdure_limit(organization text, wanted text) returns bigint language sql stable as $$
  select coalesce(
    (select l.value from memory_limits as l where l.organization_id = organization and l.name = wanted),
    (select l.value from memory_limits as l where l.organization_id = '' and l.name = wanted),
    0)
$$;

-- Bytes of the texts, kept by the triggers below whoever writes, as passage_count is by the statements.
alter table archives add column passage_bytes bigint not null default 0;
update archives as a set passage_bytes = n.bytes
from (select p.organization_id, p.archive_id, sum(octet_length(p.text)) as bytes from passages as p group by p.organization_id, p.archive_id) as n
where a.organization_id = n.organization_id and a.id = n.archive_id;

-- Counted on the archive's row, which whoever stores a passage holds already: two of them at once cannot both be the last.
create function perdure_count_new_passages() returns trigger language plpgsql as $$
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
    if grown.max_bytes > 0 and grown.passage_bytes > grown.max_bytes then
      raise exception using errcode = 'PD002', message = format(
        'The archive %s can have %s bytes of text (PERDURE_MAX_ARCHIVE_SIZE), and would have %s. Delete passages, or store further ones in another archive.',
        grown.id, grown.max_bytes, grown.passage_bytes);
    end if;
  end loop;
  return null;
end $$;
create trigger passages_counted after insert on passages referencing new table as new_rows
  for each statement execute function perdure_count_new_passages();

create function perdure_count_old_passages() returns trigger language plpgsql as $$
begin
  update archives as a set passage_bytes = a.passage_bytes - n.bytes
  from (select o.organization_id, o.archive_id, sum(octet_length(o.text)) as bytes from old_rows as o group by o.organization_id, o.archive_id) as n
  where a.organization_id = n.organization_id and a.id = n.archive_id;
  return null;
end $$;
create trigger passages_uncounted after delete on passages referencing old table as old_rows
  for each statement execute function perdure_count_old_passages();

create function perdure_count_changed_passages() returns trigger language plpgsql as $$
begin
  update archives as a set passage_bytes = a.passage_bytes + d.bytes
  from (
    select n.organization_id, n.archive_id, sum(octet_length(n.text) - octet_length(o.text)) as bytes
    from new_rows as n join old_rows as o on o.organization_id = n.organization_id and o.id = n.id
    where n.text <> o.text group by n.organization_id, n.archive_id
  ) as d
  where a.organization_id = d.organization_id and a.id = d.archive_id and d.bytes <> 0;
  return null;
end $$;
create trigger passages_recounted after update on passages referencing old table as old_rows new table as new_rows
  for each statement execute function perdure_count_changed_passages();

-- The agents are locked in one order, so that of two who attach at once the second one sees what the first has attached.
create function perdure_limit_blocks() returns trigger language plpgsql as $$
declare
  beyond record;
begin
  perform from agents as a where (a.organization_id, a.id) in (select n.organization_id, n.agent_id from new_rows as n)
  order by a.organization_id, a.id for no key update;
  select d.agent_id, l.most, c.there into beyond
  from (select distinct n.organization_id, n.agent_id from new_rows as n) as d
  cross join lateral (select perdure_limit(d.organization_id, 'agent_blocks') as most offset 0) as l
  cross join lateral (
    select count(*) as there from (
      select from agent_blocks as ab where ab.organization_id = d.organization_id and ab.agent_id = d.agent_id limit l.most + 1
    ) as seen
  ) as c
  where l.most > 0 and c.there > l.most limit 1;
  if found then
    raise exception using errcode = 'PD002', message = format(
      'An agent can have %s memory blocks (PERDURE_MAX_AGENT_BLOCKS), and agent %s would have more. Merge some, or keep notes in archival memory.',
      beyond.most, beyond.agent_id);
  end if;
  return null;
end $$;
create trigger agent_blocks_limited after insert on agent_blocks referencing new table as new_rows
  for each statement execute function perdure_limit_blocks();

create function perdure_limit_folders() returns trigger language plpgsql as $$
declare
  beyond record;
begin
  perform from agents as a where (a.organization_id, a.id) in (select n.organization_id, n.agent_id from new_rows as n)
  order by a.organization_id, a.id for no key update;
  select d.agent_id, l.most, c.there into beyond
  from (select distinct n.organization_id, n.agent_id from new_rows as n) as d
  cross join lateral (select perdure_limit(d.organization_id, 'agent_folders') as most offset 0) as l
  cross join lateral (
    select count(*) as there from (
      select from agent_folders as af where af.organization_id = d.organization_id and af.agent_id = d.agent_id limit l.most + 1
    ) as seen
  ) as c
  where l.most > 0 and c.there > l.most limit 1;
  if found then
    raise exception using errcode = 'PD002', message = format(
      'An agent can have %s folders (PERDURE_MAX_AGENT_FOLDERS), and agent %s would have more. Detach one, or put the files into one folder.',
      beyond.most, beyond.agent_id);
  end if;
  return null;
end $$;
create trigger agent_folders_limited after insert on agent_folders referencing new table as new_rows
  for each statement execute function perdure_limit_folders();

-- Whoever stores a file has locked its folder.
create function perdure_limit_files() returns trigger language plpgsql as $$
declare
  beyond record;
begin
  select d.folder_id, l.most, c.there into beyond
  from (select distinct n.organization_id, n.folder_id from new_rows as n) as d
  cross join lateral (select perdure_limit(d.organization_id, 'folder_files') as most offset 0) as l
  cross join lateral (
    select count(*) as there from (
      select from files as f where f.organization_id = d.organization_id and f.folder_id = d.folder_id limit l.most + 1
    ) as seen
  ) as c
  where l.most > 0 and c.there > l.most limit 1;
  if found then
    raise exception using errcode = 'PD002', message = format(
      'A folder can have %s files (PERDURE_MAX_FOLDER_FILES), and folder %s has them. Delete some, or upload to another folder.',
      beyond.most, beyond.folder_id);
  end if;
  return null;
end $$;
create trigger files_limited after insert on files referencing new table as new_rows
  for each statement execute function perdure_limit_files();

-- Which passages searches have given. A table of its own: a retrieval is no change of the passage, and writes none of its indexes.
create table passage_retrievals (
  organization_id text collate "C" not null,
  passage_id text collate "C" not null,
  retrieval_count bigint not null,
  last_retrieved_at timestamptz not null,
  primary key (organization_id, passage_id),
  foreign key (organization_id, passage_id) references passages (organization_id, id) on delete cascade
) with (fillfactor = 80);

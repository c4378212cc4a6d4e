-- Vectors of what is searched, and what waits for one (docs/decisions/0011-one-table-of-vectors.md).

create extension if not exists vector;

-- Models that vectors were made with. One is current: what is written is queued for it, by the triggers below.
create table embedding_models (
  id smallint generated always as identity primary key,
  handle text not null unique,
  dimensions integer not null,
  -- true or null, so that there is one at most
  is_current boolean unique check (is_current),
  -- there may be vectors of it that a search has to look at
  is_live boolean not null default true,
  -- how far everything that was there before has been queued: message | passage | file_passage | tool, null when done; then the last row
  backfill_kind text,
  backfill_organization_id text collate "C" not null default '',
  backfill_source_id text collate "C" not null default '',
  created_at timestamptz not null default now()
);

-- One row for each text. Rows are narrow, since a scope is scanned whole up to a size; what searches filter by stands beside the vector.
create table embeddings (
  organization_id text collate "C" not null references organizations (id) on delete cascade,
  source_id text collate "C" not null,
  -- message | passage | file_passage | tool
  kind text not null,
  -- the agent of a message, the archive of a passage, the folder of a file; of tools the organisation
  scope_id text collate "C" not null,
  -- the conversation of a message, the file of a file's passage
  part_id text collate "C",
  -- of a message
  role text,
  seq bigint,
  created_at timestamptz not null,
  model smallint not null references embedding_models (id),
  v384 halfvec(384),
  v512 halfvec(512),
  v768 halfvec(768),
  v1024 halfvec(1024),
  v1536 halfvec(1536),
  v2048 halfvec(2048),
  v2560 halfvec(2560),
  v3072 halfvec(3072),
  primary key (organization_id, source_id)
);
-- vectors stay in their rows: a scan that fetches each from elsewhere takes several times as long
alter table embeddings set (toast_tuple_target = 8160);
create index embeddings_by_scope on embeddings (organization_id, kind, scope_id);

-- Texts that have no vector yet, or an old one. Whoever takes a row moves `due_at` to the end of its lease.
create table embedding_queue (
  organization_id text collate "C" not null references organizations (id) on delete cascade,
  source_id text collate "C" not null,
  kind text not null,
  -- which partition a message is in
  source_created_at timestamptz not null,
  -- 0 for what was just written, 1 for what is made anew
  priority smallint not null default 0,
  due_at timestamptz not null default now(),
  token uuid,
  attempts smallint not null default 0,
  error text,
  created_at timestamptz not null default now(),
  primary key (organization_id, source_id)
);
create index embedding_queue_due on embedding_queue (priority, due_at);

create function perdure_queue_embeddings() returns trigger language plpgsql as $$
begin
  if not exists (select from embedding_models as m where m.is_current) then
    return null;
  end if;
  if tg_table_name = 'messages' then
    insert into embedding_queue (organization_id, source_id, kind, source_created_at)
    select n.organization_id, n.id, 'message', n.created_at from new_rows as n where n.search is not null
    on conflict do nothing;
  else
    insert into embedding_queue (organization_id, source_id, kind, source_created_at)
    select n.organization_id, n.id, tg_argv[0], n.created_at from new_rows as n
    on conflict (organization_id, source_id) do update set due_at = now(), token = null, attempts = 0, error = null, priority = 0;
  end if;
  return null;
end $$;

-- A text that has changed. Whoever is at work on the old one finds that its token is gone.
create function perdure_queue_changed_embeddings() returns trigger language plpgsql as $$
begin
  if not exists (select from embedding_models as m where m.is_current) then
    return null;
  end if;
  insert into embedding_queue (organization_id, source_id, kind, source_created_at)
  select n.organization_id, n.id, tg_argv[0], n.created_at
  from new_rows as n join old_rows as o on o.organization_id = n.organization_id and o.id = n.id
  where o.search is distinct from n.search
  on conflict (organization_id, source_id) do update set due_at = now(), token = null, attempts = 0, error = null, priority = 0;
  return null;
end $$;

-- The queue first: a vector that is being stored meanwhile is waited for, and deleted.
create function perdure_forget_embeddings() returns trigger language plpgsql as $$
begin
  delete from embedding_queue as q using old_rows as o where q.organization_id = o.organization_id and q.source_id = o.id;
  delete from embeddings as e using old_rows as o where e.organization_id = o.organization_id and e.source_id = o.id;
  return null;
end $$;

create trigger messages_queue_embeddings after insert on messages
  referencing new table as new_rows for each statement execute function perdure_queue_embeddings();
create trigger messages_forget_embeddings after delete on messages
  referencing old table as old_rows for each statement execute function perdure_forget_embeddings();

create trigger passages_queue_embeddings after insert on passages
  referencing new table as new_rows for each statement execute function perdure_queue_embeddings('passage');
create trigger passages_queue_changed_embeddings after update on passages
  referencing old table as old_rows new table as new_rows for each statement execute function perdure_queue_changed_embeddings('passage');
create trigger passages_forget_embeddings after delete on passages
  referencing old table as old_rows for each statement execute function perdure_forget_embeddings();

create trigger file_passages_queue_embeddings after insert on file_passages
  referencing new table as new_rows for each statement execute function perdure_queue_embeddings('file_passage');
create trigger file_passages_forget_embeddings after delete on file_passages
  referencing old table as old_rows for each statement execute function perdure_forget_embeddings();

create trigger tools_queue_embeddings after insert on tools
  referencing new table as new_rows for each statement execute function perdure_queue_embeddings('tool');
create trigger tools_queue_changed_embeddings after update on tools
  referencing old table as old_rows new table as new_rows for each statement execute function perdure_queue_changed_embeddings('tool');
create trigger tools_forget_embeddings after delete on tools
  referencing old table as old_rows for each statement execute function perdure_forget_embeddings();

-- Passages that say what another one of their archive says are recognised when they are written, and keep what they were before an edit.

alter table passages
  -- 128 bits of a hash of the words (src/memory/fact-key.ts). Null: stored before there were keys, or as a duplicate on request
  add column fact_key uuid,
  -- how often the same was written again, and when last
  add column repeat_count integer not null default 0,
  add column repeated_at timestamptz,
  add column version integer not null default 1,
  -- who wrote this version, as in block_versions; null in rows from before: whoever created_by_id names
  add column author_type text,
  add column author_id text collate "C",
  add column run_id text collate "C",
  add column tool_name text,
  -- since when it is like this; null: since it was stored
  add column version_created_at timestamptz;

-- One passage for a fact in an archive. Rows without a key are not looked at, so archives that hold duplicates already keep them.
create unique index passages_fact_key on passages (organization_id, archive_id, fact_key) where fact_key is not null;

-- What passages were before their edits. The newest version is the passage itself, so storing one costs nothing here.
create table passage_versions (
  organization_id text collate "C" not null,
  passage_id text collate "C" not null,
  version integer not null,
  text text not null,
  tags text[] not null,
  metadata jsonb,
  -- user | agent
  author_type text not null,
  author_id text collate "C",
  run_id text collate "C",
  tool_name text,
  created_at timestamptz not null,
  primary key (organization_id, passage_id, version),
  foreign key (organization_id, passage_id) references passages (organization_id, id) on delete cascade
);

-- What an agent's tools may know and nobody reads: sealed by a key that the database does not have (src/platform/secret-box.ts).
create table agent_secrets (
  organization_id text collate "C" not null,
  agent_id text collate "C" not null,
  key text collate "C" not null,
  id text collate "C" not null,
  -- null: the key is there, and nobody has given it a value yet (an imported agent)
  sealed text,
  created_by_id text collate "C",
  last_updated_by_id text collate "C",
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (organization_id, agent_id, key),
  foreign key (organization_id, agent_id) references agents (organization_id, id) on delete cascade
);

-- What was put into the memory blocks for {{variable}} when the agent was created; shown, never used again.
alter table agents add column memory_variables jsonb;

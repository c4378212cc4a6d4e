-- Providers that a tenant brings with a key of its own, and what was said to providers and back, word for word.

-- Deleting keeps the row, without its keys: whoever makes the provider again gets the same id.
create table providers (
  organization_id text collate "C" not null references organizations (id) on delete cascade,
  id text collate "C" not null,
  -- first part of its handles; never changes, since keys are sealed for it
  name text collate "C" not null,
  provider_type text not null,
  base_url text,
  region text,
  api_version text,
  -- sealed by src/platform/secret-box.ts
  api_key text,
  access_key text,
  created_by_id text collate "C",
  last_updated_by_id text collate "C",
  last_synced timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz,
  primary key (organization_id, id),
  unique (organization_id, name)
);

-- Request and answer of each call, where the operator wants them kept (PERDURE_PROVIDER_TRACES). json and not jsonb: they are
-- written as they are, read whole, and never searched.
create table provider_traces (
  organization_id text collate "C" not null,
  id text collate "C" not null,
  step_id text collate "C" not null,
  run_id text collate "C",
  agent_id text collate "C",
  -- agent_step | summarization
  call_type text not null,
  request json not null,
  response json not null,
  llm_config json,
  agent_tags text[] not null default '{}',
  created_by_id text collate "C",
  created_at timestamptz not null default now(),
  primary key (organization_id, id, created_at)
) partition by range (created_at);
create index provider_traces_by_step on provider_traces (organization_id, step_id);
create table provider_traces_default partition of provider_traces default;

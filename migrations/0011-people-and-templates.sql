-- Who agents work for (identities), agents that work together (groups), patterns that agents are made of (templates), and what
-- programs beside them need: projects, tokens for web pages, environments.

-- Agents and what belongs to them, sorted by purpose. What names a project need not be one of these: V1 took any text.
create table projects (
  organization_id text collate "C" not null references organizations (id) on delete cascade,
  id text collate "C" not null,
  name text not null,
  slug text collate "C" not null,
  is_default boolean not null default false,
  created_at timestamptz not null default clock_timestamp(),
  primary key (organization_id, id),
  unique (organization_id, slug)
);

-- However an organisation comes into being, it has a project from then on.
create function perdure_add_default_project() returns trigger language plpgsql as $$
begin
  insert into projects (organization_id, id, name, slug, is_default)
  values (new.id, 'project-' || gen_random_uuid(), 'Default Project', 'default-project', true);
  return null;
end $$;
create trigger organizations_default_project after insert on organizations
  for each row execute function perdure_add_default_project();
insert into projects (organization_id, id, name, slug, is_default)
select o.id, 'project-' || gen_random_uuid(), 'Default Project', 'default-project', true from organizations as o;

create table identities (
  organization_id text collate "C" not null references organizations (id) on delete cascade,
  id text collate "C" not null,
  -- the name that the client's own system has for it
  identifier_key text not null,
  name text not null,
  -- org | user | other
  identity_type text not null,
  project_id text collate "C",
  -- [{key, value, type}], each key once
  properties jsonb not null default '[]',
  created_by_id text collate "C",
  last_updated_by_id text collate "C",
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default now(),
  primary key (organization_id, id)
);
create unique index identities_by_key on identities (organization_id, identifier_key, coalesce(project_id, ''));
create index identities_by_created on identities (organization_id, created_at, id);

create table agent_identities (
  organization_id text collate "C" not null,
  agent_id text collate "C" not null,
  identity_id text collate "C" not null,
  attached_at timestamptz not null default clock_timestamp(),
  primary key (organization_id, agent_id, identity_id),
  foreign key (organization_id, agent_id) references agents (organization_id, id) on delete cascade,
  foreign key (organization_id, identity_id) references identities (organization_id, id) on delete cascade
);
create index agent_identities_by_identity on agent_identities (organization_id, identity_id, agent_id);

create table block_identities (
  organization_id text collate "C" not null,
  block_id text collate "C" not null,
  identity_id text collate "C" not null,
  attached_at timestamptz not null default clock_timestamp(),
  primary key (organization_id, block_id, identity_id),
  foreign key (organization_id, block_id) references blocks (organization_id, id) on delete cascade,
  foreign key (organization_id, identity_id) references identities (organization_id, id) on delete cascade
);
create index block_identities_by_identity on block_identities (organization_id, identity_id, block_id);

create table groups (
  organization_id text collate "C" not null references organizations (id) on delete cascade,
  id text collate "C" not null,
  project_id text collate "C",
  -- round_robin | supervisor | dynamic | sleeptime | voice_sleeptime
  manager_type text not null,
  description text not null,
  manager_agent_id text collate "C",
  termination_token text,
  max_turns integer,
  -- turns of the manager after which the others work; each turn where it is null
  sleeptime_agent_frequency integer,
  turns_counter integer,
  -- the newest message of the manager that the others have been given
  last_processed_message_id text collate "C",
  max_message_buffer_length integer,
  min_message_buffer_length integer,
  template_id text collate "C",
  base_template_id text collate "C",
  deployment_id text collate "C",
  hidden boolean,
  created_by_id text collate "C",
  last_updated_by_id text collate "C",
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default now(),
  primary key (organization_id, id),
  foreign key (organization_id, manager_agent_id) references agents (organization_id, id) on delete cascade
) with (fillfactor = 80);
create index groups_by_created on groups (organization_id, created_at, id);
create index groups_by_manager on groups (organization_id, manager_agent_id);
-- an agent has one group that works behind it, whoever asks for it at the same time
create unique index groups_behind_agent on groups (organization_id, manager_agent_id)
  where manager_type in ('sleeptime', 'voice_sleeptime');

create table group_agents (
  organization_id text collate "C" not null,
  group_id text collate "C" not null,
  agent_id text collate "C" not null,
  position integer not null,
  primary key (organization_id, group_id, agent_id),
  foreign key (organization_id, group_id) references groups (organization_id, id) on delete cascade,
  foreign key (organization_id, agent_id) references agents (organization_id, id) on delete cascade
);
create index group_agents_by_agent on group_agents (organization_id, agent_id, group_id);

create table group_blocks (
  organization_id text collate "C" not null,
  group_id text collate "C" not null,
  block_id text collate "C" not null,
  position integer not null,
  primary key (organization_id, group_id, block_id),
  foreign key (organization_id, group_id) references groups (organization_id, id) on delete cascade,
  foreign key (organization_id, block_id) references blocks (organization_id, id) on delete cascade
);
create index group_blocks_by_block on group_blocks (organization_id, block_id);

create table templates (
  organization_id text collate "C" not null,
  id text collate "C" not null,
  project_id text collate "C" not null,
  name text collate "C" not null,
  description text,
  -- the version under work: what `current` means
  snapshot jsonb not null,
  -- the saved version that the one under work was the same as last
  base_version integer not null,
  latest_version integer not null,
  created_by_id text collate "C",
  last_updated_by_id text collate "C",
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default now(),
  primary key (organization_id, id),
  unique (organization_id, project_id, name),
  foreign key (organization_id, project_id) references projects (organization_id, id) on delete cascade
);

create table template_versions (
  organization_id text collate "C" not null,
  template_id text collate "C" not null,
  version integer not null,
  -- what the wire calls template_id at an agent
  id text collate "C" not null,
  snapshot jsonb not null,
  message text,
  created_by_id text collate "C",
  created_at timestamptz not null default now(),
  primary key (organization_id, template_id, version),
  foreign key (organization_id, template_id) references templates (organization_id, id) on delete cascade
);

-- What was made of a template at once, and with which values: a migration fills them in again.
create table template_deployments (
  organization_id text collate "C" not null,
  id text collate "C" not null,
  template_id text collate "C" not null,
  memory_variables jsonb not null default '{}',
  created_at timestamptz not null default now(),
  primary key (organization_id, id),
  foreign key (organization_id, template_id) references templates (organization_id, id) on delete cascade
);
create index template_deployments_by_template on template_deployments (organization_id, template_id, id);
create index agents_by_deployment on agents (organization_id, deployment_id) where deployment_id is not null;

-- Tokens for web pages. The token itself is nowhere: only its hash.
create table access_tokens (
  organization_id text collate "C" not null references organizations (id) on delete cascade,
  id text collate "C" not null,
  -- SHA-256 of the whole token
  token_hash bytea not null,
  -- [{type, id, access}]
  policy jsonb not null,
  -- the origin of the pages that may use it
  hostname text not null,
  user_id text collate "C" not null,
  expires_at timestamptz not null,
  created_at timestamptz not null default clock_timestamp(),
  primary key (organization_id, id),
  unique (organization_id, token_hash)
);

-- Machines that agents could work on. None is ever connected: this server has no socket for them.
create table environments (
  organization_id text collate "C" not null references organizations (id) on delete cascade,
  id text collate "C" not null,
  device_id text not null,
  connection_id text collate "C" not null,
  connection_name text not null,
  metadata jsonb,
  user_id text collate "C" not null,
  created_at timestamptz not null default clock_timestamp(),
  last_seen_at timestamptz not null default now(),
  primary key (organization_id, id),
  unique (organization_id, device_id),
  unique (organization_id, connection_id)
);

-- Runs of agents that work behind another, due since one of its runs ended; stored by the statement that ended it. They stay for a
-- while after they have started, so that whoever reads that run again is told of them.
create table companion_runs (
  organization_id text collate "C" not null,
  main_run_id text collate "C" not null,
  agent_id text collate "C" not null,
  -- the id of the run: made of the other two, so that it can start only once
  id text collate "C" not null,
  group_id text collate "C" not null,
  due_at timestamptz not null default clock_timestamp(),
  claimed_until timestamptz,
  started_at timestamptz,
  primary key (organization_id, main_run_id, agent_id),
  foreign key (organization_id, group_id) references groups (organization_id, id) on delete cascade,
  foreign key (organization_id, agent_id) references agents (organization_id, id) on delete cascade
);
create index companion_runs_due on companion_runs (due_at) where started_at is null;
create index companion_runs_by_group on companion_runs (organization_id, group_id, due_at);
create index companion_runs_by_agent on companion_runs (organization_id, agent_id);
create index companion_runs_started on companion_runs (started_at) where started_at is not null;

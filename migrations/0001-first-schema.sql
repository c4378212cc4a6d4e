-- The first schema. Conventions:
--   * organization_id leads every primary and unique key of a tenant table: a tenant's rows lie together, row-level security
--     is an index prefix, and the schema can be distributed by tenant.
--   * ids are text with a prefix, collated "C" (byte order, no locale surprises, faster comparisons).
--   * messages, steps, tool_calls and provider_calls grow without end: partitioned by month on created_at, with no foreign
--     keys; what writes to them is fenced by the run's lease in the same statement.
--   * rows that change every turn have a fillfactor below 100, so that updates stay on their page (HOT).

create extension if not exists btree_gin;

-- Raises when a statement's premise does not hold any more; the whole statement is then undone.
create function perdure_require(holds boolean, problem text) returns boolean language plpgsql immutable as $$
begin
  if holds is not true then
    raise exception using errcode = 'PD001', message = problem;
  end if;
  return true;
end $$;

create sequence message_seq;
create sequence run_queue_seq;

create table organizations (
  id text collate "C" primary key,
  name text not null,
  created_at timestamptz not null default now()
);

create table users (
  organization_id text collate "C" not null references organizations (id) on delete cascade,
  id text collate "C" not null,
  name text not null,
  created_at timestamptz not null default now(),
  primary key (organization_id, id)
);

insert into organizations (id, name) values ('org-00000000-0000-4000-8000-000000000000', 'default_org');
insert into users (organization_id, id, name)
values ('org-00000000-0000-4000-8000-000000000000', 'user-00000000-0000-4000-8000-000000000000', 'default_user');

create table agents (
  organization_id text collate "C" not null references organizations (id) on delete cascade,
  id text collate "C" not null,
  project_id text collate "C",
  name text not null,
  agent_type text not null,
  description text,
  system text not null,
  model text not null,
  embedding text,
  -- as the client sent it, merged over the defaults when read: {provider_type, temperature, …}
  model_settings jsonb not null default '{}',
  context_window_limit integer,
  compaction_settings jsonb,
  response_format jsonb,
  tool_rules jsonb not null default '[]',
  metadata jsonb,
  timezone text not null default 'UTC',
  message_buffer_autoclear boolean not null default false,
  enable_sleeptime boolean,
  max_files_open integer,
  per_file_view_window_char_limit integer,
  hidden boolean,
  template_id text collate "C",
  base_template_id text collate "C",
  deployment_id text collate "C",
  entity_id text collate "C",
  created_by_id text collate "C",
  last_updated_by_id text collate "C",
  last_run_completion timestamptz,
  last_run_duration_ms integer,
  last_stop_reason text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (organization_id, id)
) with (fillfactor = 80);
create index agents_by_created on agents (organization_id, created_at, id);
create index agents_by_name on agents (organization_id, name);

create table agent_tags (
  organization_id text collate "C" not null,
  agent_id text collate "C" not null,
  tag text collate "C" not null,
  primary key (organization_id, agent_id, tag),
  foreign key (organization_id, agent_id) references agents (organization_id, id) on delete cascade
);
create index agent_tags_by_tag on agent_tags (organization_id, tag, agent_id);

create table blocks (
  organization_id text collate "C" not null references organizations (id) on delete cascade,
  id text collate "C" not null,
  project_id text collate "C",
  label text not null,
  value text not null,
  -- characters (UTF-16 code units, as clients count them)
  char_limit integer not null,
  description text,
  read_only boolean not null default false,
  metadata jsonb,
  is_template boolean not null default false,
  template_name text,
  template_id text collate "C",
  base_template_id text collate "C",
  deployment_id text collate "C",
  entity_id text collate "C",
  preserve_on_migration boolean,
  hidden boolean,
  -- grows by one with each edit; writers compare and set
  version integer not null default 1,
  created_by_id text collate "C",
  last_updated_by_id text collate "C",
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (organization_id, id),
  unique (organization_id, id, label)
) with (fillfactor = 80);
create index blocks_by_created on blocks (organization_id, created_at, id);
create index blocks_by_label on blocks (organization_id, label);

create table block_tags (
  organization_id text collate "C" not null,
  block_id text collate "C" not null,
  tag text collate "C" not null,
  primary key (organization_id, block_id, tag),
  foreign key (organization_id, block_id) references blocks (organization_id, id) on delete cascade
);
create index block_tags_by_tag on block_tags (organization_id, tag, block_id);

-- Every value a block has had, with who wrote it; what diff and undo read.
create table block_versions (
  organization_id text collate "C" not null,
  block_id text collate "C" not null,
  version integer not null,
  label text not null,
  description text,
  value text not null,
  -- user | agent
  author_type text not null,
  author_id text collate "C",
  run_id text collate "C",
  tool_name text,
  created_at timestamptz not null default now(),
  primary key (organization_id, block_id, version),
  foreign key (organization_id, block_id) references blocks (organization_id, id) on delete cascade
);

-- The label stands here too, so that an agent cannot have two blocks of one label.
create table agent_blocks (
  organization_id text collate "C" not null,
  agent_id text collate "C" not null,
  block_id text collate "C" not null,
  label text not null,
  attached_at timestamptz not null default clock_timestamp(),
  primary key (organization_id, agent_id, block_id),
  unique (organization_id, agent_id, label),
  foreign key (organization_id, agent_id) references agents (organization_id, id) on delete cascade,
  foreign key (organization_id, block_id, label) references blocks (organization_id, id, label)
    on update cascade on delete cascade
);
create index agent_blocks_by_block on agent_blocks (organization_id, block_id, label);

create table tools (
  organization_id text collate "C" not null references organizations (id) on delete cascade,
  id text collate "C" not null,
  project_id text collate "C",
  name text not null,
  tool_type text not null,
  description text,
  source_type text,
  source_code text,
  json_schema jsonb not null,
  args_json_schema jsonb,
  tags text[] not null default '{}',
  return_char_limit integer not null default 50000,
  pip_requirements jsonb,
  npm_requirements jsonb,
  default_requires_approval boolean,
  enable_parallel_execution boolean not null default false,
  metadata jsonb,
  created_by_id text collate "C",
  last_updated_by_id text collate "C",
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (organization_id, id),
  unique (organization_id, name)
);
create index tools_by_created on tools (organization_id, created_at, id);

create table agent_tools (
  organization_id text collate "C" not null,
  agent_id text collate "C" not null,
  tool_id text collate "C" not null,
  attached_at timestamptz not null default clock_timestamp(),
  primary key (organization_id, agent_id, tool_id),
  foreign key (organization_id, agent_id) references agents (organization_id, id) on delete cascade,
  foreign key (organization_id, tool_id) references tools (organization_id, id) on delete cascade
);
create index agent_tools_by_tool on agent_tools (organization_id, tool_id);

-- A thread of messages. Every agent has one default conversation, which the wire shows as `null` or "default".
create table conversations (
  organization_id text collate "C" not null,
  id text collate "C" not null,
  agent_id text collate "C" not null,
  is_default boolean not null default false,
  summary text,
  model text,
  model_settings jsonb,
  -- the system message of this thread: row in messages, and its compiled text here, where every turn reads it
  system_message_id text collate "C" not null,
  system_message_created_at timestamptz not null,
  system_prompt text not null,
  -- what the volatile part of the prompt said when it was compiled: {compiled_at, recall_count, archival_count, archival_tags}
  prompt_metadata jsonb not null,
  -- messages with a sequence from here on are in context
  context_start_seq bigint not null default 0,
  context_start_at timestamptz not null default now(),
  message_count integer not null default 1,
  -- the run that owns the thread, and how many wait behind it
  active_run_id text collate "C",
  queued_run_count integer not null default 0,
  last_message_at timestamptz,
  deleted_at timestamptz,
  created_by_id text collate "C",
  last_updated_by_id text collate "C",
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (organization_id, id),
  foreign key (organization_id, agent_id) references agents (organization_id, id) on delete cascade
) with (fillfactor = 70);
create unique index conversations_default on conversations (organization_id, agent_id) where is_default;
create index conversations_by_agent on conversations (organization_id, agent_id, created_at);

create table runs (
  organization_id text collate "C" not null,
  id text collate "C" not null,
  project_id text collate "C",
  agent_id text collate "C" not null,
  conversation_id text collate "C" not null,
  -- created (waits for its turn) | running | completed | failed | cancelled
  status text not null,
  queue_seq bigint not null default nextval('run_queue_seq'),
  background boolean not null default false,
  -- what the client asked for: {max_steps, client_tools, override_model, …}; all that a take-over needs
  request jsonb not null,
  -- input messages of a run that still waits; they become messages when it starts
  queued_input jsonb,
  created_by_id text collate "C",
  metadata jsonb,
  stop_reason text,
  error jsonb,
  step_count integer not null default 0,
  -- tokens so far, summed over the steps: {prompt_tokens, completion_tokens, …}
  usage jsonb not null default '{}',
  cancel_requested_at timestamptz,
  -- who works on it, until when, and the fencing token: each take-over adds one, and every write of the loop names it
  lease_owner text collate "C",
  lease_token integer not null default 0,
  lease_expires_at timestamptz,
  callback_url text,
  callback_sent_at timestamptz,
  callback_status_code integer,
  callback_error text,
  ttft_ns bigint,
  total_duration_ns bigint,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  completed_at timestamptz,
  primary key (organization_id, id),
  foreign key (organization_id, agent_id) references agents (organization_id, id) on delete cascade
) with (fillfactor = 70);
create index runs_by_created on runs (organization_id, created_at, id);
create index runs_by_agent on runs (organization_id, agent_id, created_at, id);
create index runs_active on runs (organization_id, agent_id, queue_seq) where status in ('created', 'running');
create index runs_queued on runs (organization_id, conversation_id, queue_seq) where status = 'created';
create index runs_leased on runs (lease_expires_at) where status = 'running';

create table messages (
  organization_id text collate "C" not null,
  id text collate "C" not null,
  -- order of everything that was said, in the database as a whole and so within each thread
  seq bigint not null default nextval('message_seq'),
  agent_id text collate "C" not null,
  conversation_id text collate "C" not null,
  -- system | user | assistant | tool | approval | summary
  role text not null,
  content jsonb not null default '[]',
  tool_calls jsonb,
  tool_returns jsonb,
  approvals jsonb,
  name text,
  model text,
  otid text,
  step_id text collate "C",
  run_id text collate "C",
  sender_id text collate "C",
  group_id text collate "C",
  is_err boolean,
  search tsvector,
  created_at timestamptz not null default now(),
  primary key (organization_id, id, created_at)
) partition by range (created_at);
create index messages_by_conversation on messages (organization_id, conversation_id, seq);
create index messages_by_agent on messages (organization_id, agent_id, seq);
create index messages_by_run on messages (organization_id, run_id, seq);
create index messages_search on messages using gin (organization_id, agent_id, search) where search is not null;

create table steps (
  organization_id text collate "C" not null,
  id text collate "C" not null,
  project_id text collate "C",
  run_id text collate "C" not null,
  agent_id text collate "C" not null,
  conversation_id text collate "C" not null,
  -- 1 for the first step of a run
  step_index integer not null,
  status text not null,
  stop_reason text,
  provider_name text,
  provider_category text,
  model text,
  model_handle text,
  model_endpoint text,
  context_window_limit integer,
  prompt_tokens integer not null default 0,
  completion_tokens integer not null default 0,
  total_tokens integer not null default 0,
  cached_input_tokens integer,
  cache_write_tokens integer,
  reasoning_tokens integer,
  error_type text,
  error_data jsonb,
  feedback text,
  tags text[] not null default '{}',
  trace_id text,
  request_id text,
  step_start_ns bigint,
  llm_request_start_ns bigint,
  llm_request_ns bigint,
  tool_execution_ns bigint,
  step_ns bigint,
  created_at timestamptz not null default now(),
  primary key (organization_id, id, created_at)
) partition by range (created_at);
create index steps_by_run on steps (organization_id, run_id, created_at);
create index steps_by_agent on steps (organization_id, agent_id, created_at);
create index steps_by_created on steps (organization_id, created_at);

-- One row per tool call of a model: requested → started → finished. Effect and result of a tool that lives in this database
-- commit together, so it is never found started.
create table tool_calls (
  organization_id text collate "C" not null,
  id text collate "C" not null,
  run_id text collate "C" not null,
  step_id text collate "C" not null,
  agent_id text collate "C" not null,
  position integer not null,
  tool_call_id text not null,
  tool_name text not null,
  arguments text not null,
  state text not null,
  -- {status, text, stdout, stderr} as stored in the tool message
  result jsonb,
  started_at timestamptz,
  finished_at timestamptz,
  created_at timestamptz not null default now(),
  primary key (organization_id, id, created_at)
) partition by range (created_at);
create index tool_calls_by_run on tool_calls (organization_id, run_id, step_id, position);

-- The ledger: one row per call to a provider, also the failed ones.
create table provider_calls (
  organization_id text collate "C" not null,
  id text collate "C" not null,
  project_id text collate "C",
  -- agent_step | summary | embedding
  purpose text not null,
  run_id text collate "C",
  step_id text collate "C",
  agent_id text collate "C",
  conversation_id text collate "C",
  provider_name text not null,
  model_handle text not null,
  status text not null,
  error_type text,
  attempts integer not null default 1,
  input_tokens integer not null default 0,
  cached_input_tokens integer not null default 0,
  cache_write_tokens integer not null default 0,
  output_tokens integer not null default 0,
  reasoning_tokens integer not null default 0,
  first_token_ms integer,
  total_ms integer,
  created_at timestamptz not null default now(),
  primary key (organization_id, id, created_at)
) partition by range (created_at);

create table archives (
  organization_id text collate "C" not null references organizations (id) on delete cascade,
  id text collate "C" not null,
  project_id text collate "C",
  name text not null,
  description text,
  embedding text,
  metadata jsonb,
  passage_count integer not null default 0,
  created_by_id text collate "C",
  last_updated_by_id text collate "C",
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (organization_id, id)
) with (fillfactor = 80);

-- An agent has at most one archive; an archive can serve many agents.
create table agent_archives (
  organization_id text collate "C" not null,
  agent_id text collate "C" not null,
  archive_id text collate "C" not null,
  primary key (organization_id, agent_id),
  foreign key (organization_id, agent_id) references agents (organization_id, id) on delete cascade,
  foreign key (organization_id, archive_id) references archives (organization_id, id) on delete cascade
);
create index agent_archives_by_archive on agent_archives (organization_id, archive_id);

create table passages (
  organization_id text collate "C" not null,
  id text collate "C" not null,
  archive_id text collate "C" not null,
  text text not null,
  tags text[] not null default '{}',
  metadata jsonb,
  -- left(): a tsvector holds at most 1 MB
  search tsvector not null generated always as (to_tsvector('english', left(text, 100000))) stored,
  created_by_id text collate "C",
  last_updated_by_id text collate "C",
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (organization_id, id),
  foreign key (organization_id, archive_id) references archives (organization_id, id) on delete cascade
);
create index passages_by_archive on passages (organization_id, archive_id, created_at, id);
create index passages_search on passages using gin (organization_id, archive_id, search);

-- Tags again, one a row: which tags there are is answered without reading the passages.
create table passage_tags (
  organization_id text collate "C" not null,
  archive_id text collate "C" not null,
  tag text collate "C" not null,
  passage_id text collate "C" not null,
  primary key (organization_id, archive_id, tag, passage_id),
  foreign key (organization_id, passage_id) references passages (organization_id, id) on delete cascade
);
create index passage_tags_by_passage on passage_tags (organization_id, passage_id);

-- Months that exist, and one partition for what falls outside them (imported history, a clock that is wrong).
create table messages_default partition of messages default;
create table steps_default partition of steps default;
create table tool_calls_default partition of tool_calls default;
create table provider_calls_default partition of provider_calls default;

-- Makes the partition of a month (any instant of it, UTC) for one of the tables above; does nothing where it exists.
create function perdure_make_partition(parent text, month timestamptz) returns boolean language plpgsql as $$
declare
  first_day timestamptz := date_trunc('month', month at time zone 'UTC') at time zone 'UTC';
  next_month timestamptz := (date_trunc('month', month at time zone 'UTC') + interval '1 month') at time zone 'UTC';
  partition text := parent || '_' || to_char(first_day at time zone 'UTC', 'YYYY_MM');
begin
  if to_regclass(partition) is not null then
    return false;
  end if;
  execute format('create table %I partition of %I for values from (%L) to (%L)', partition, parent, first_day, next_month);
  return true;
end $$;

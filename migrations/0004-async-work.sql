-- Work that nobody waits for: callbacks, schedules, batches. Each has rows that are due at some time; a process takes them with
-- a lease, so that another one goes on where it died.

-- The outbox of callbacks: a row is inserted by the very statement that ends a run or a batch, and posted until it is delivered.
-- No foreign key to the run: what was promised is told although the run was deleted meanwhile.
create table webhook_deliveries (
  organization_id text collate "C" not null references organizations (id) on delete cascade,
  -- made of the id of what ended, so that one end is one delivery; the receiver knows a repetition by it
  id text collate "C" not null,
  run_id text collate "C",
  batch_id text collate "C",
  url text not null,
  -- what is told: status, completed_at and metadata of the run or batch at its end
  status text not null,
  completed_at timestamptz not null,
  metadata jsonb,
  -- pending | delivered | dead
  state text not null default 'pending',
  -- grows with each attempt; whoever reports the outcome of an attempt names it
  attempt_count integer not null default 0,
  -- after so many it is dead; a retry by hand allows more
  attempt_limit integer not null default 8,
  -- while an attempt is under way: when another process may take it over
  next_attempt_at timestamptz not null default now(),
  last_attempt_at timestamptz,
  last_status_code integer,
  last_error text,
  ended_at timestamptz,
  created_at timestamptz not null default now(),
  primary key (organization_id, id)
) with (fillfactor = 80);
create index webhook_deliveries_due on webhook_deliveries (next_attempt_at) where state = 'pending';
create index webhook_deliveries_ended on webhook_deliveries (ended_at) where state in ('delivered', 'dead');
create index webhook_deliveries_by_created on webhook_deliveries (organization_id, created_at, id);
create index webhook_deliveries_by_state on webhook_deliveries (organization_id, state, created_at, id);

create table schedules (
  organization_id text collate "C" not null,
  id text collate "C" not null,
  agent_id text collate "C" not null,
  -- null: recurring
  scheduled_at timestamptz,
  -- null: once
  cron_expression text,
  timezone text not null default 'UTC',
  -- as the client sent it: {messages, callback_url, include_return_message_types, max_steps}
  message jsonb not null,
  -- what a run of it starts with: request and input, as in runs
  request jsonb not null,
  input jsonb not null,
  callback_url text,
  -- null: it is done
  next_due_at timestamptz,
  last_due_at timestamptz,
  last_run_id text collate "C",
  -- a process is starting the run of next_due_at; until then no other tries
  claimed_until timestamptz,
  created_by_id text collate "C" not null,
  created_at timestamptz not null default now(),
  primary key (organization_id, id),
  foreign key (organization_id, agent_id) references agents (organization_id, id) on delete cascade
) with (fillfactor = 80);
create index schedules_due on schedules (next_due_at) where next_due_at is not null;
create index schedules_done on schedules (last_due_at) where next_due_at is null;
create index schedules_by_agent on schedules (organization_id, agent_id, created_at, id);

create table batches (
  organization_id text collate "C" not null references organizations (id) on delete cascade,
  id text collate "C" not null,
  -- running | completed | failed | cancelled
  status text not null default 'running',
  stop_reason text,
  callback_url text,
  callback_sent_at timestamptz,
  callback_status_code integer,
  callback_error text,
  item_count integer not null,
  -- at the end: how many items ended how
  metadata jsonb,
  -- a process is working on it; until then no other does
  claimed_until timestamptz not null default now(),
  created_by_id text collate "C" not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  completed_at timestamptz,
  primary key (organization_id, id)
) with (fillfactor = 80);
create index batches_by_created on batches (organization_id, created_at, id);
create index batches_open on batches (claimed_until) where completed_at is null;

create table batch_items (
  organization_id text collate "C" not null,
  batch_id text collate "C" not null,
  position integer not null,
  agent_id text collate "C" not null,
  -- chosen when the batch is accepted: starting twice cannot make two runs
  run_id text collate "C" not null,
  request jsonb not null,
  input jsonb not null,
  -- waiting | started, then what its run ended as: completed | failed | cancelled
  state text not null default 'waiting',
  primary key (organization_id, batch_id, position),
  foreign key (organization_id, batch_id) references batches (organization_id, id) on delete cascade
) with (fillfactor = 80);
create index batch_items_started on batch_items (organization_id, batch_id) where state = 'started';
create index batch_items_waiting on batch_items (organization_id, batch_id, position) where state = 'waiting';

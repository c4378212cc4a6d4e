-- What every stream of a run tells, in order: any replica can replay it and go on with it. Messages and the end are stored in
-- the statement that makes them; pieces of text in batches a few times a second.
create table run_events (
  organization_id text collate "C" not null,
  run_id text collate "C" not null,
  -- seq_id of the first and of the last event in the batch; each owner of the run has a range of its own
  first_seq bigint not null,
  last_seq bigint not null,
  -- JSON as text: it is never looked into here
  events text not null,
  created_at timestamptz not null default now(),
  primary key (organization_id, run_id, first_seq)
) with (fillfactor = 100, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.5);
create index run_events_by_age on run_events (created_at);

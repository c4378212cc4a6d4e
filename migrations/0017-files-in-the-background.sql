-- Files that are read in the background: their bytes wait in the database, where every replica finds them, until they are read.

alter table files
  add column processing_status text not null default 'completed',
  add column error_message text,
  -- passages that can be found so far; null where all can
  add column stored_passage_count integer,
  -- the job that shows the upload; of files that were read at once there is none here
  add column job_id text collate "C",
  add column parse_attempts integer not null default 0,
  -- whoever reads the file now; what it writes hangs on this
  add column parse_token text,
  -- when somebody may begin to read it, or take over; null where nothing is to be done
  add column parse_due_at timestamptz;
create index files_due on files (parse_due_at) where parse_due_at is not null;

-- Stored as they arrive, before there is a row in `files`: no transaction is held while a client sends. Gone when the file is read.
create table file_upload_parts (
  organization_id text collate "C" not null references organizations (id) on delete cascade,
  file_id text collate "C" not null,
  -- 0 for the first
  position integer not null,
  bytes bytea not null,
  created_at timestamptz not null default now(),
  primary key (organization_id, file_id, position)
);
-- documents are compressed already
alter table file_upload_parts alter column bytes set storage external;

create index jobs_running on jobs (organization_id, id) where status = 'running';

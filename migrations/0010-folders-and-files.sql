-- Folders with their files, which agents read: what was uploaded, cut into passages for search, and what each agent has open.

create table folders (
  organization_id text collate "C" not null references organizations (id) on delete cascade,
  id text collate "C" not null,
  project_id text collate "C",
  name text not null,
  description text,
  instructions text,
  metadata jsonb,
  embedding text,
  created_by_id text collate "C",
  last_updated_by_id text collate "C",
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (organization_id, id),
  -- a file is called by its folder's name and its own, so that names tell the files of an organisation apart
  unique (organization_id, name)
);
create index folders_by_created on folders (organization_id, created_at, id);

create table files (
  organization_id text collate "C" not null,
  id text collate "C" not null,
  folder_id text collate "C" not null,
  -- the part after the folder's name and a slash; a name, never a path
  name text not null,
  original_name text not null,
  media_type text,
  size_bytes bigint not null,
  -- of the text: UTF-16 code units, lines, and passages that it was cut into
  char_count integer not null,
  line_count integer not null,
  passage_count integer not null,
  created_by_id text collate "C",
  last_updated_by_id text collate "C",
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp(),
  primary key (organization_id, id),
  unique (organization_id, folder_id, name),
  foreign key (organization_id, folder_id) references folders (organization_id, id) on delete cascade
);
create index files_by_folder on files (organization_id, folder_id, created_at, id);

-- Apart from the files, so that lists of files never touch it.
create table file_contents (
  organization_id text collate "C" not null,
  file_id text collate "C" not null,
  content text not null,
  primary key (organization_id, file_id),
  foreign key (organization_id, file_id) references files (organization_id, id) on delete cascade
);

create table file_passages (
  organization_id text collate "C" not null,
  id text collate "C" not null,
  folder_id text collate "C" not null,
  file_id text collate "C" not null,
  -- 1 for the first passage of a file; its lines, counted from 1
  position integer not null,
  start_line integer not null,
  end_line integer not null,
  text text not null,
  search tsvector not null generated always as (to_tsvector('english', text)) stored,
  created_at timestamptz not null default now(),
  primary key (organization_id, id),
  foreign key (organization_id, file_id) references files (organization_id, id) on delete cascade
);
create index file_passages_by_file on file_passages (organization_id, file_id);
create index file_passages_by_folder on file_passages (organization_id, folder_id, created_at, id);
create index file_passages_search on file_passages using gin (organization_id, folder_id, search);

create table agent_folders (
  organization_id text collate "C" not null,
  agent_id text collate "C" not null,
  folder_id text collate "C" not null,
  attached_at timestamptz not null default clock_timestamp(),
  primary key (organization_id, agent_id, folder_id),
  foreign key (organization_id, agent_id) references agents (organization_id, id) on delete cascade,
  foreign key (organization_id, folder_id) references folders (organization_id, id) on delete cascade
);
create index agent_folders_by_folder on agent_folders (organization_id, folder_id, agent_id);

-- One row for each file of each folder that an agent has; the open ones are shown in its prompt.
create table agent_files (
  organization_id text collate "C" not null,
  id text collate "C" not null,
  agent_id text collate "C" not null,
  folder_id text collate "C" not null,
  file_id text collate "C" not null,
  is_open boolean not null default false,
  -- what the prompt shows of an open file: numbered lines, cut at the agent's limit
  visible_content text,
  -- the lines asked for, counted from 1; null for the file from its beginning
  start_line integer,
  end_line integer,
  last_accessed_at timestamptz,
  created_at timestamptz not null default clock_timestamp(),
  primary key (organization_id, id),
  unique (organization_id, agent_id, file_id),
  foreign key (organization_id, agent_id, folder_id) references agent_folders (organization_id, agent_id, folder_id) on delete cascade,
  foreign key (organization_id, file_id) references files (organization_id, id) on delete cascade
) with (fillfactor = 80);
create index agent_files_by_agent on agent_files (organization_id, agent_id, created_at, id);
create index agent_files_by_file on agent_files (organization_id, file_id);

-- Lists of archives.
create index archives_by_created on archives (organization_id, created_at, id);

-- What an upload was: kept when the file is gone.
create table jobs (
  organization_id text collate "C" not null references organizations (id) on delete cascade,
  id text collate "C" not null,
  status text not null,
  folder_id text collate "C",
  metadata jsonb not null default '{}',
  created_by_id text collate "C",
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  completed_at timestamptz,
  primary key (organization_id, id)
);
create index jobs_by_created on jobs (organization_id, created_at, id);

-- Batches are jobs of V1 too: one list over both. Each branch has an index in the order of the list.
create view all_jobs as
select organization_id, id, 'job'::text as job_type, status, null::text as stop_reason, folder_id, false as background, metadata,
  null::text as callback_url, null::timestamptz as callback_sent_at, null::integer as callback_status_code,
  null::text as callback_error, created_by_id, created_at, updated_at, completed_at
from jobs
union all
select organization_id, id, 'batch'::text, status, stop_reason, null::text, true,
  jsonb_build_object('requests', item_count) || coalesce(metadata, '{}'),
  callback_url, callback_sent_at, callback_status_code, callback_error, created_by_id, created_at, updated_at, completed_at
from batches;

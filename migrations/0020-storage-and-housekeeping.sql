-- Uploads whose bytes wait outside of the database: noted before the first byte is written, so that none is forgotten. There is no foreign
-- key: bytes outlive their tenant until somebody deletes them.
create table stored_uploads (
  organization_id text collate "C" not null,
  file_id text collate "C" not null,
  -- 'folder' or 's3'
  storage text not null,
  -- true from the moment on that a row of `files` knows of them
  is_placed boolean not null default false,
  created_at timestamptz not null default now(),
  primary key (organization_id, file_id)
);

-- Tools that people bring: found by words, and, where they come from an MCP server, gone with it.

-- What a search reads: the name with its parts apart, the description, the tags. `translate` and `coalesce` are immutable, and so is
-- the cast of an array's text that follows: a generated column takes nothing else.
create function perdure_tool_words(name text, description text, tags text[]) returns tsvector
language sql immutable parallel safe as $$
  select setweight(to_tsvector('english', translate(name, '_-', '  ')), 'A')
    || setweight(to_tsvector('english', array_to_string(tags, ' ')), 'B')
    || to_tsvector('english', coalesce(left(description, 100000), ''))
$$;
alter table tools add column search tsvector generated always as (perdure_tool_words(name, description, tags)) stored;

create table mcp_servers (
  organization_id text collate "C" not null references organizations (id) on delete cascade,
  id text collate "C" not null,
  server_name text not null,
  -- stdio | sse | streamable_http
  server_type text not null,
  server_url text,
  auth_header text,
  -- sealed (platform/secret-box.ts), as are the values of custom_headers and env, by name
  auth_token text,
  custom_headers jsonb not null default '{}',
  command text,
  args text[] not null default '{}',
  env jsonb not null default '{}',
  created_by_id text collate "C",
  last_updated_by_id text collate "C",
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (organization_id, id),
  unique (organization_id, server_name)
);

-- The server that a tool was found at; both go together.
alter table tools add column mcp_server_id text collate "C";
alter table tools add foreign key (organization_id, mcp_server_id) references mcp_servers (organization_id, id) on delete cascade;
create index tools_by_mcp_server on tools (organization_id, mcp_server_id) where mcp_server_id is not null;

-- How code of tools is to be run: one configuration of each type in an organisation.
create table sandbox_configs (
  organization_id text collate "C" not null references organizations (id) on delete cascade,
  id text collate "C" not null,
  -- local | e2b | modal
  sandbox_type text not null,
  config jsonb not null,
  created_by_id text collate "C",
  last_updated_by_id text collate "C",
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (organization_id, id),
  unique (organization_id, sandbox_type)
);

create table sandbox_variables (
  organization_id text collate "C" not null,
  id text collate "C" not null,
  sandbox_config_id text collate "C" not null,
  key text not null,
  -- sealed (platform/secret-box.ts)
  sealed_value text not null,
  description text,
  created_by_id text collate "C",
  last_updated_by_id text collate "C",
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (organization_id, id),
  unique (organization_id, sandbox_config_id, key),
  foreign key (organization_id, sandbox_config_id) references sandbox_configs (organization_id, id) on delete cascade
);

-- MCP servers are connected to: what came of it last, and what people have allowed this server to do there.
alter table mcp_servers add column last_error text;
alter table mcp_servers add column last_synced_at timestamptz;

-- Tokens of OAuth for a server, of the whole organisation. They are for one address and of no use at another.
create table mcp_oauth_tokens (
  organization_id text collate "C" not null,
  mcp_server_id text collate "C" not null,
  server_url text not null,
  -- tokens, the client that was registered and where, sealed by src/platform/secret-box.ts
  sealed text not null,
  updated_at timestamptz not null default now(),
  primary key (organization_id, mcp_server_id),
  foreign key (organization_id, mcp_server_id) references mcp_servers (organization_id, id) on delete cascade
);

-- Authorizations under way: a browser brings the code to whichever replica it reaches. Ten minutes each, and each only once.
create table mcp_oauth_sessions (
  organization_id text collate "C" not null,
  id text collate "C" not null,
  mcp_server_id text collate "C" not null,
  -- SHA-256 of what the address of the way back has in it
  state_hash text collate "C" not null,
  server_url text not null,
  -- the verifier of PKCE and the registered client, sealed
  sealed text not null,
  -- pending | exchanging | authorized | failed
  status text not null default 'pending',
  error text,
  created_by_id text collate "C",
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  primary key (organization_id, id),
  unique (organization_id, state_hash),
  foreign key (organization_id, mcp_server_id) references mcp_servers (organization_id, id) on delete cascade
);

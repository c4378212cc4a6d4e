-- Requests that may come twice: what a client named by an Idempotency-Key, or a message by its otid, happens once. A row that
-- names a run is inserted by the very statement that accepts the run; the others keep the answer of their request.
create table idempotency_keys (
  organization_id text collate "C" not null references organizations (id) on delete cascade,
  -- hash of the key with all that it is valid for: kind, caller, operation, path
  key_hash text collate "C" not null,
  -- hash of the request: the same key with another one is refused. Null where nobody asks
  fingerprint text collate "C",
  -- the run that the request has started
  run_id text collate "C",
  -- of a request that starts no run: who works on it, until when another attempt is refused
  attempt_id text collate "C",
  attempt_expires_at timestamptz,
  -- and its answer, null while it is under way; a body that is too large is not kept
  status integer,
  headers jsonb,
  body text,
  expires_at timestamptz not null default now() + interval '24 hours',
  primary key (organization_id, key_hash)
) with (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.05);
create index idempotency_keys_by_expiry on idempotency_keys (expires_at);

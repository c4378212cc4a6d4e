-- What every process looks at often, so each look must cost next to nothing.

-- Runs that are asked to stop and have not yet: nearly always none.
create index runs_cancelling on runs (lease_owner) where status = 'running' and cancel_requested_at is not null;

-- The oldest runs that wait, of each tenant, those that somebody waits for apart from those in the background.
create index runs_waiting on runs (organization_id, background, queue_seq) where status = 'created';

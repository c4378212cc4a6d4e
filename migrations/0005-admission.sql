-- What every process looks at often, so each look must cost next to nothing.

-- Runs that are asked to stop and have not yet: nearly always none.
create index runs_cancelling on runs (lease_owner) where status = 'running' and cancel_requested_at is not null;

-- The oldest runs that wait, of each tenant, those that somebody waits for apart from those in the background.
create index runs_waiting on runs (organization_id, background, queue_seq) where status = 'created';

-- A heartbeat changes when a lease ends, once a second for each run: no index holds it, so that the row is updated in place
-- (HOT). Who looks for leases that are over reads all running runs, which are few.
drop index runs_leased;
create index runs_running on runs (queue_seq) where status = 'running';

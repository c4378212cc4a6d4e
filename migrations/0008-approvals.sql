-- Calls of tools that wait for a person or for the client. The thread knows the message that asks, so that the statement which
-- accepts a message or starts a queued one decides at once whether its input may become part of the thread.
alter table conversations add column pending_approval_id text collate "C";
-- since when, for those who give up waiting
alter table conversations add column pending_approval_at timestamptz;

create index conversations_pending on conversations (pending_approval_at) where pending_approval_id is not null;

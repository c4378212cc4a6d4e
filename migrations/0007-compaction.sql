-- The summary that stands for what has left the context of a thread. It is a row of messages, in its own place among them; the
-- thread says which one counts, so that a turn reads it first whatever lies between.
alter table conversations
  add column summary_message_id text collate "C",
  -- part of the row's key: the month to look into
  add column summary_message_created_at timestamptz;

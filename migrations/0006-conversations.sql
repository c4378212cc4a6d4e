-- Conversations: what clients say of them, the blocks that one has of its own, and the messages that forks share.

alter table conversations
  -- what it is about, for people who look for it
  add column description text,
  -- tokens, in place of the agent's limit
  add column context_window_limit integer,
  add column hidden boolean not null default false,
  add column archived_at timestamptz,
  add column last_run_completion timestamptz;
create index conversations_listed on conversations (organization_id, created_at, id) where not is_default and deleted_at is null;

-- A block of a conversation's own: it is seen and edited there in place of the agent's block that it was copied from.
create table conversation_blocks (
  organization_id text collate "C" not null,
  conversation_id text collate "C" not null,
  block_id text collate "C" not null,
  label text not null,
  -- the agent's block that is not seen in this conversation, by whatever labels the two have now
  replaces_block_id text collate "C" not null,
  attached_at timestamptz not null,
  -- an agent has put it away in this conversation: neither the copy nor the original is seen
  is_detached boolean not null default false,
  primary key (organization_id, conversation_id, block_id),
  foreign key (organization_id, conversation_id) references conversations (organization_id, id) on delete cascade,
  foreign key (organization_id, block_id, label) references blocks (organization_id, id, label)
    on update cascade on delete cascade
);
create unique index conversation_blocks_label on conversation_blocks (organization_id, conversation_id, label) where not is_detached;
create index conversation_blocks_by_block on conversation_blocks (organization_id, block_id, label);

-- Messages that a fork has in common with the thread that it comes from: a range of that one's messages. So a fork costs the same
-- however long the thread is, nothing is stored twice, and a search finds what was said once. The source may be a conversation
-- that is deleted, whose row then stays for what its forks still show.
create table conversation_shares (
  organization_id text collate "C" not null,
  conversation_id text collate "C" not null,
  source_id text collate "C" not null,
  from_seq bigint not null,
  to_seq bigint not null,
  primary key (organization_id, conversation_id, source_id),
  foreign key (organization_id, conversation_id) references conversations (organization_id, id) on delete cascade,
  foreign key (organization_id, source_id) references conversations (organization_id, id) on delete cascade
);
create index conversation_shares_by_source on conversation_shares (organization_id, source_id);

-- Messages of all agents of a tenant, in the order in which they were said.
create index messages_by_seq on messages (organization_id, seq);

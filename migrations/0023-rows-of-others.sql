-- A search that names a time counts, and looks through, the vectors of that time alone, and not all of its scope.
-- (The new index first, here and below: writers wait while it is built, readers for no longer than the old one takes to go.)
create index embeddings_by_scope_and_time on embeddings (organization_id, kind, scope_id, created_at);
drop index embeddings_by_scope;
alter index embeddings_by_scope_and_time rename to embeddings_by_scope;

-- In a month in which one agent alone has spoken, the planner takes every message for the one of any agent that is asked for, and this index for as good as the one by
-- agent: it read the month through for an agent that has nothing there. Only who asks for the messages of all agents names the expression.
create index messages_of_all_by_seq on messages (organization_id, (seq + 0));
drop index messages_by_seq;
alter index messages_of_all_by_seq rename to messages_by_seq;

-- A search that names a time counts, and looks through, the vectors of that time alone, and not all of its scope.
drop index embeddings_by_scope;
create index embeddings_by_scope on embeddings (organization_id, kind, scope_id, created_at);

-- In a month in which one agent alone has spoken, the planner takes every message for the one of any agent that is asked for, and this index for as good as the one by
-- agent: it read the month through for an agent that has nothing there. Only who asks for the messages of all agents names the expression.
drop index messages_by_seq;
create index messages_by_seq on messages (organization_id, (seq + 0));

-- Runs that another run has begun by sending a message to their agent: what they cost adds up along these.
create index runs_sent_by_run on runs (organization_id, (metadata ->> 'sent_by_run'))
  where metadata ->> 'sent_by_run' is not null;

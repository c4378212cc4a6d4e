const COMPACTION =
  '409 while a run has the thread (with its `run_id`) or waits for it; where nothing can leave the context the answer is a 400, never `summary: null`.'
const MCP_CONFIG =
  'Secrets are stored encrypted and shown as a mask, which keeps what is stored when it is sent back; an address that is not on the public internet is a 422 (`PERDURE_MCP_ALLOWED_HOSTS` allows some, `PERDURE_MCP_ADDRESSES=any` all), and stdio a 400 (`PERDURE_MCP_STDIO=on`). Where its tools could not be asked, the header `x-mcp-last-error` says why.'
const MADE_FROM_SOURCE =
  'The name of a tool that the server or an MCP server has is a 409; the schema is derived without running the source, from unions, `Dict` and `async` functions too, and from TypeScript.'
const ONCE =
  'A passage of the archive that says the same comes back in its place, marked by `is_duplicate`, unless `allow_duplicate` is sent (docs/memory.md).'
const BY_WORDS = 'Searched by words and by meaning; `relevance` says why each was found.'

/** What an operation of the official client does otherwise here than V1 did, in a sentence for those who move. Reviewed by hand. */
export const DIFFERENCES: Readonly<Record<string, string>> = {
  'accessTokens.list':
    'Shows the id of a token in the place of the token, which only `create` tells; those that have expired are left out.',
  'accessTokens.delete': 'Takes the id that the list shows, or the token itself.',
  'agents.create':
    'The values of secrets are masked, in this answer and in every other; `include_default_source` is a 400, and so is `from_template`, for which there is `templates.agents.create`.',
  'agents.retrieve': 'The values of secrets are masked.',
  'agents.update':
    'Null clears what can be empty; `message_ids` may let the context begin later or earlier, but has no gaps; the values of secrets are masked.',
  'agents.exportFile':
    "The text of a JSON document, as `text/plain`; passages of the agent's archive are in it (`scrub_archives=true` leaves them out), groups, MCP servers and the values of secrets are not, nor texts of files beyond half of what a request may have.",
  'agents.importFile':
    'All or nothing; a call without a result gets one that says so, `strip_messages` is honoured, `not_imported` names what was left out, and a tool in the file never replaces one that the server brings.',
  'agents.messages.create':
    'Waits while another run has the thread, unless `on_busy` says otherwise; `client_skills`, `return_logprobs` and `return_token_ids` are a 400.',
  'agents.messages.compact': COMPACTION,
  'agents.messages.list':
    'With `conversation_id`, a fork has the messages that it shares with its source; types are filtered before `limit` counts.',
  'agents.archives.attach': 'An agent that has another archive already is a 409: it can have one.',
  'agents.passages.create': ONCE,
  'agents.passages.search': BY_WORDS,
  'agents.tools.run':
    'Custom code runs in a sandbox, without network unless `metadata_.network` of the tool names hosts; values of secrets do not come back.',
  'archives.create': 'Needs no embedding; `embedding_config` is null then.',
  'archives.passages.create': ONCE,
  'archives.passages.createMany': `All of them or none. ${ONCE}`,
  'conversations.create': '`in_context_message_ids` has the system message from the beginning.',
  'conversations.delete': 'Cancels the runs of the conversation first; messages that a fork shares stay for it.',
  'conversations.fork': 'Shares the messages instead of copying them, so that they keep their ids.',
  'conversations.messages.compact': COMPACTION,
  'conversations.messages.create':
    'While another run has the conversation: 409 with its `run_id` and `x-should-retry: false`, decided in the database and not in a process.',
  'conversations.messages.list': '`desc` is newest first also among what one stored message becomes.',
  'environments.list': 'None is ever online: the server has no socket for environments.',
  'environments.sendMessage': 'Always 409 `ENVIRONMENT_OFFLINE`: the server has no socket for environments.',
  'folders.create': 'Needs no embedding; `embedding_config` is null then.',
  'folders.files.list': 'With `include_content`, twenty files at most.',
  'folders.files.upload':
    'Texts up to 512 KiB are read before the answer, which says `completed`; everything else in the background, beginning with `pending`. DOCX, PPTX and XLSX too. 413 above 50 MB, 415 for a format that cannot be read (docs/files.md).',
  'mcpServers.create': MCP_CONFIG,
  'mcpServers.update': `${MCP_CONFIG} Another address or command needs the secrets again: those of before are not sent there.`,
  'mcpServers.retrieve': 'Secrets are masked; the header `x-mcp-last-error` says why its tools could not be asked for.',
  'mcpServers.list': 'Secrets are masked.',
  'mcpServers.refresh':
    'Also names the tools that were left out (`skipped`); a tool whose name another has gets that of its server in front, and never replaces the other.',
  'mcpServers.tools.run':
    'Connections are kept and shared; what goes wrong is a result with `status: "error"` that says what happened.',
  'messages.list': "Only messages of the caller's organisation.",
  'messages.search':
    'By words and by meaning inside of PostgreSQL; `relevance` says why each was found. Reasoning is not searched.',
  'models.list':
    'A provider that was brought (`POST /v1/providers`) is asked for its models when they are listed, not at the start; one that does not answer is left out.',
  'passages.search': BY_WORDS,
  'runs.list': 'Cursors follow the order that is asked for; V1 turned them around with `desc`.',
  'runs.retrieve': 'A malformed id is a 422, as with all ids; V1 answered 400.',
  'runs.usage.retrieve': 'Counts all steps; V1 stopped after 50.',
  'runs.trace.retrieve':
    'Made of runs, steps and tool calls, without ClickHouse; has the root, `agent_step`, `time_to_first_token` and a span for each call of a tool.',
  'steps.list': '`order` and `tags` have an effect.',
  'steps.trace.retrieve':
    'Kept only with `PERDURE_PROVIDER_TRACES=on` (V1: on unless told), else null. `response_json` is the answer put together from its stream: content, tool_calls, finish_reason, usage.',
  'steps.metrics.retrieve':
    '`tool_execution_ns` runs from the answer of the model to the result of its last tool, and `step_ns` includes it.',
  'templates.agents.create':
    'Makes one agent; a variable without a value stays in the text as it stands, and `tool_variables` are a 400.',
  'templates.create': 'A template has one agent, with its sleeptime agent or without.',
  'tools.create': MADE_FROM_SOURCE,
  'tools.upsert': MADE_FROM_SOURCE,
  'tools.search': 'By name, description and tags, by words and by meaning.',
  'tools.update':
    'Null clears; rules of agents follow a new name; of a tool that the server brings only its settings can be changed.',
}

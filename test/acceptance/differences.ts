/** What an operation of the official client does otherwise here than V1 did, in a sentence for those who move. Reviewed by hand. */
export const DIFFERENCES: Readonly<Record<string, string>> = {
  'models.list':
    'A provider that was brought (`POST /v1/providers`) is asked for its models when they are listed, not at the start; one that does not answer is left out.',
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
}

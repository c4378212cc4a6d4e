import type { RunRequest } from '#store/runs/run-row.ts'

/** Steps of a turn where nobody says how many. */
export const DEFAULT_MAX_STEPS = 50

/** What a run is asked for that came by no HTTP request: the agent's own model, told as clients see it by default. */
export const plainRequest = (maxSteps = DEFAULT_MAX_STEPS): RunRequest => ({
  requestId: null,
  maxSteps,
  overrideModel: null,
  overrideSystem: null,
  view: {
    use_assistant_message: true,
    assistant_message_tool_name: 'send_message',
    assistant_message_tool_kwarg: 'message',
    include_return_message_types: null,
  },
})

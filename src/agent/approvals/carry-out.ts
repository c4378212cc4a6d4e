import type { ImagePart } from '#llm/model.ts'
import type { Approval } from '#store/messages/message-row.ts'
import { failure, type ToolOutcome } from '#tools/tool.ts'

const NOT_RUN = 'The user cancelled the request, so this tool was not run.'

/** What an answer says of a call; undefined where it is to be executed. */
export function outcomeOf(
  approvals: readonly Approval[],
  toolCallId: string,
  isCancel: boolean,
): ToolOutcome | undefined {
  const approval = approvals.find((candidate) => candidate.tool_call_id === toolCallId)
  if (approval === undefined) return isCancel ? failure(NOT_RUN) : undefined
  if (approval.type === 'approval') {
    if (approval.approve) return undefined
    return failure(`Error: request to call tool denied. User reason: ${approval.reason ?? 'none given'}`)
  }
  const { tool_return: given, status, stdout, stderr } = approval
  const parts = typeof given === 'string' ? [] : given
  const images = parts.filter((part): part is ImagePart => part.type === 'image')
  const text =
    typeof given === 'string' ? given : parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n')
  return { status, text, stdout, stderr, ...(images.length > 0 ? { images } : {}) }
}

import type { FastifyRequest } from 'fastify'
import { NOTHING_PENDING } from '#agent/approvals/read-answer.ts'
import { DEFAULT_MAX_STEPS } from '#agent/plain-request.ts'
import type { Actor } from '#http/app.ts'
import type { ModelRegistry } from '#llm/model.ts'
import { invalidArgument, unprocessable } from '#platform/errors.ts'
import { newOrderedId } from '#platform/ids.ts'
import type { NewMessage } from '#store/messages/message-row.ts'
import type { NewRun } from '#store/runs/start-run.ts'
import type { AsyncMessageRequest, InputMessage, MessageRequest } from './message-request-schema.ts'
import { runKeys } from './run-keys.ts'
import { asMessage, isAnswer, toAnswer } from './to-answer.ts'
import { toClientTools } from './to-client-tools.ts'
import { type Content, toParts } from './to-parts.ts'

function toMessage(input: InputMessage, index: number): NewMessage {
  if (input.content === undefined) throw unprocessable(`body.messages.${index}.content: Field required`)
  const content = toParts(input.content)
  const text = content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n')
  const hasImage = content.some((part) => part.type === 'image')
  if (text.trim() === '' && !hasImage) throw unprocessable(`body.messages.${index}.content: Messages must not be empty`)
  return {
    id: newOrderedId('message'),
    role: input.role ?? 'user',
    content,
    name: input.name ?? null,
    otid: input.otid ?? null,
    sender_id: input.sender_id ?? null,
    search_text: text,
  }
}

function toItems(request: MessageRequest | AsyncMessageRequest): InputMessage[] {
  const hasInput = request.input != null
  const hasMessages = request.messages != null
  if (hasInput === hasMessages) {
    throw unprocessable('Send either `input` or `messages`: exactly one of them is needed.')
  }
  const messages: InputMessage[] = hasInput
    ? [{ role: 'user', content: request.input as Content }]
    : (request.messages ?? [])
  if (messages.length === 0) throw unprocessable('Messages must not be empty')
  return messages
}

/** Features of the wire that would silently have no effect are refused. */
function refuseUnavailable(request: MessageRequest | AsyncMessageRequest): void {
  if (request.client_skills != null && request.client_skills.length > 0) {
    throw invalidArgument('client_skills are not available in this version of the server.')
  }
  for (const field of ['return_logprobs', 'return_token_ids'] as const) {
    if (request[field] === true) throw invalidArgument(`${field} is not available: models are asked for text alone.`)
  }
}

/** The run that a request asks for; throws what is wrong with the request, before anything of it is stored. */
export async function toRun(
  models: ModelRegistry,
  actor: Actor,
  thread: NewRun['thread'],
  request: MessageRequest | AsyncMessageRequest,
  kind: {
    requestId: string
    runType: string
    background: boolean
    idempotencyKey?: FastifyRequest['idempotencyKey']
    /** What becomes of it while the thread is busy, where the request does not say. */
    onBusy?: NewRun['onBusy']
  },
): Promise<NewRun> {
  if (request.override_model != null) await models.getModel(request.override_model, actor.organizationId)
  refuseUnavailable(request)
  const items = toItems(request)
  const answer = toAnswer(items)
  if (answer !== undefined && kind.runType === 'scheduled_message') throw invalidArgument(NOTHING_PENDING)
  const said = items.flatMap((item, index) => (isAnswer(item) ? [] : [toMessage(item, index)]))
  const clientTools = toClientTools(request.client_tools)
  return {
    organizationId: actor.organizationId,
    thread,
    runId: newOrderedId('run'),
    request: {
      requestId: kind.requestId,
      maxSteps: request.max_steps ?? DEFAULT_MAX_STEPS,
      overrideModel: request.override_model ?? null,
      overrideSystem: request.override_system ?? null,
      view: {
        use_assistant_message: request.use_assistant_message ?? true,
        assistant_message_tool_name: request.assistant_message_tool_name ?? 'send_message',
        assistant_message_tool_kwarg: request.assistant_message_tool_kwarg ?? 'message',
        include_return_message_types: request.include_return_message_types ?? null,
        include_compaction_messages: request.include_compaction_messages ?? false,
      },
      hasTokens: 'stream_tokens' in request && request.stream_tokens === true,
      ...(clientTools.length > 0 ? { clientTools } : {}),
      ...(answer === undefined ? {} : { answer: { ...answer, messages: said } }),
    },
    input: answer === undefined ? said : [],
    background: kind.background,
    userId: actor.userId,
    metadata: { run_type: kind.runType },
    callbackUrl: 'callback_url' in request ? (request.callback_url ?? null) : null,
    onBusy: request.on_busy ?? kind.onBusy ?? 'queue',
    ...runKeys(kind.idempotencyKey ?? null, thread, answer === undefined ? said : [asMessage(answer), ...said]),
  }
}

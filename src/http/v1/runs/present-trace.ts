import { createHash } from 'node:crypto'
import Type, { type Static } from 'typebox'
import { AnyObject } from '#http/wire/nullable.ts'
import type { findRunTrace, TracedRun, TracedStep, TracedTool } from '#store/runs/run-trace.ts'

/** A span with the names that OpenTelemetry's exporter for ClickHouse gives its columns, which V1 read them from. */
export const SpanSchema = Type.Object({
  Timestamp: Type.String({ format: 'date-time', description: 'When it began' }),
  TraceId: Type.String(),
  SpanId: Type.String(),
  ParentSpanId: Type.String({ description: 'Empty for the root' }),
  SpanName: Type.String({ description: 'agent_run, agent_step, time_to_first_token, or the name of a tool' }),
  SpanKind: Type.String(),
  ServiceName: Type.String(),
  SpanAttributes: AnyObject,
  Duration: Type.Integer({ description: 'Nanoseconds; 0 while it goes on' }),
  StatusCode: Type.String({ description: 'Ok, Error or Unset' }),
  StatusMessage: Type.String(),
})
type Span = Static<typeof SpanSchema>

const NS_PER_MS = 1_000_000

/** The course of a run as spans, in the order in which they began: the run, its steps, their tools, the first token. */
export function presentTrace(trace: NonNullable<Awaited<ReturnType<typeof findRunTrace>>>): Span[] {
  const { run, steps, tools } = trace
  const spans = [
    runSpan(run),
    ...(run.ttft_ns === null ? [] : [firstTokenSpan(run, run.ttft_ns)]),
    ...steps.map((step) => stepSpan(run, step)),
    ...tools.map((tool) => toolSpan(run, tool)),
  ]
  return spans.sort((a, b) => (a.Timestamp < b.Timestamp ? -1 : a.Timestamp > b.Timestamp ? 1 : 0))
}

/** 16 hexadecimal digits of its own for each row, the same whenever it is asked for. */
const spanId = (id: string): string => createHash('sha256').update(id).digest('hex').slice(0, 16)

interface SpanParts {
  id: string
  parent: string | undefined
  name: string
  start: Date
  ns: number
  attributes: Record<string, unknown>
  status: 'Ok' | 'Error' | 'Unset'
  message?: string | null
}

function span(run: TracedRun, parts: SpanParts): Span {
  const known = Object.entries(parts.attributes).filter(([, value]) => value !== null && value !== undefined)
  return {
    Timestamp: parts.start.toISOString(),
    TraceId: run.id.replace(/^run-/, '').replaceAll('-', ''),
    SpanId: spanId(parts.id),
    ParentSpanId: parts.parent === undefined ? '' : spanId(parts.parent),
    SpanName: parts.name,
    SpanKind: parts.parent === undefined ? 'Server' : 'Internal',
    ServiceName: 'perdure',
    SpanAttributes: Object.fromEntries(known),
    Duration: Math.max(0, Math.round(parts.ns)),
    StatusCode: parts.status,
    StatusMessage: parts.message ?? '',
  }
}

const between = (start: Date, end: Date | null): number =>
  end === null ? 0 : (end.getTime() - start.getTime()) * NS_PER_MS

function runSpan(run: TracedRun): Span {
  const status = run.status === 'failed' ? 'Error' : run.completed_at === null ? 'Unset' : 'Ok'
  return span(run, {
    id: run.id,
    parent: undefined,
    name: 'agent_run',
    start: run.created_at,
    ns: between(run.created_at, run.completed_at),
    attributes: {
      run_id: run.id,
      agent_id: run.agent_id,
      request_id: run.request_id,
      run_type: run.metadata?.run_type,
      status: run.status,
      stop_reason: run.stop_reason,
    },
    status,
    message: status === 'Error' ? run.stop_reason : null,
  })
}

function firstTokenSpan(run: TracedRun, ns: number): Span {
  return span(run, {
    id: `${run.id} first token`,
    parent: run.id,
    name: 'time_to_first_token',
    start: run.created_at,
    ns,
    attributes: { run_id: run.id },
    status: 'Ok',
  })
}

function stepSpan(run: TracedRun, step: TracedStep): Span {
  const ns = step.step_ns ?? 0
  const start = step.step_start_ns === null ? step.created_at : new Date(step.step_start_ns / NS_PER_MS)
  return span(run, {
    id: step.id,
    parent: run.id,
    name: 'agent_step',
    start,
    ns,
    attributes: {
      step_id: step.id,
      step_index: step.step_index,
      model: step.model_handle,
      provider_name: step.provider_name,
      prompt_tokens: step.prompt_tokens,
      completion_tokens: step.completion_tokens,
      stop_reason: step.stop_reason,
    },
    status: step.status === 'success' ? 'Ok' : step.status === 'pending' ? 'Unset' : 'Error',
    message: step.error_type,
  })
}

function toolSpan(run: TracedRun, tool: TracedTool): Span {
  const start = tool.started_at ?? tool.created_at
  const status = tool.state !== 'finished' ? 'Unset' : tool.status === 'error' ? 'Error' : 'Ok'
  return span(run, {
    id: tool.id,
    parent: tool.step_id,
    name: tool.tool_name,
    start,
    ns: between(start, tool.finished_at),
    attributes: {
      step_id: tool.step_id,
      tool_name: tool.tool_name,
      tool_call_id: tool.tool_call_id,
      state: tool.state,
    },
    status,
  })
}

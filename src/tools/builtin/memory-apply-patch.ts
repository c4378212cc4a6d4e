import { applyPatch } from '#memory/edit-text.ts'
import {
  type BuiltinTool,
  failure,
  type MemoryEffect,
  success,
  type ToolContext,
  type ToolOutcome,
} from '#tools/tool.ts'
import { editBlock, findBlock, isOutcome, refuseWrite } from './block-edit.ts'

const OPERATION = /^\*\*\* (Add Block|Delete Block|Update Block|Move to): ?(.*)$/
const RECOMPILED = 'Your system prompt will be recompiled with the new memory at the next turn.'

interface PatchOperation {
  kind: 'Add Block' | 'Delete Block' | 'Update Block'
  label: string
  moveTo: string | null
  lines: string[]
}

function splitOperations(patch: string): PatchOperation[] {
  const operations: PatchOperation[] = []
  for (const line of patch.split('\n')) {
    const header = OPERATION.exec(line)
    const current = operations.at(-1)
    if (header?.[1] === 'Move to' && current !== undefined) current.moveTo = (header[2] ?? '').trim()
    else if (header !== null) {
      operations.push({
        kind: header[1] as PatchOperation['kind'],
        label: (header[2] ?? '').trim(),
        moveTo: null,
        lines: [],
      })
    } else if (!line.startsWith('*** ')) current?.lines.push(line)
  }
  return operations
}

/** Effect of one operation and the line that reports it; a string is a refusal. */
function planOperation(
  context: ToolContext,
  operation: PatchOperation,
): { effect: MemoryEffect; report: string } | string {
  const { kind, label } = operation
  if (kind === 'Add Block') {
    if (context.blocks.some((block) => block.label === label)) return `Memory block \`${label}\` exists already.`
    const description = operation.lines
      .find((line) => line.startsWith('Description:'))
      ?.slice('Description:'.length)
      .trim()
    const value = operation.lines
      .filter((line) => line.startsWith('+'))
      .map((line) => line.slice(1))
      .join('\n')
    return {
      effect: { type: 'create-block', label, value, description: description ?? null },
      report: `Created memory block '${label}'`,
    }
  }
  const block = findBlock(context, label)
  if (isOutcome(block)) return block.text
  if (kind === 'Delete Block') {
    if (block.read_only) return `Memory block \`${label}\` is read-only and cannot be deleted.`
    return { effect: { type: 'detach-block', blockId: block.id }, report: `Deleted memory block '${label}'` }
  }
  const hasHunks = operation.lines.some((line) => line.trim() !== '')
  const patched = hasHunks
    ? applyPatch(block.value, label, operation.lines.join('\n').replace(/\n+$/, ''))
    : { ok: true as const, value: block.value }
  if (!patched.ok) return patched.problem
  const refusal = refuseWrite(block, patched.value)
  if (refusal !== undefined) return refusal
  const newLabel = operation.moveTo ?? label
  if (newLabel !== label && context.blocks.some((other) => other.label === newLabel)) {
    return `Memory block \`${newLabel}\` exists already, so \`${label}\` cannot take its name.`
  }
  return {
    effect: {
      type: 'update-block',
      blockId: block.id,
      expectedVersion: block.version,
      label: newLabel,
      value: patched.value,
      description: block.description,
    },
    report: newLabel === label ? `Updated memory block '${label}'` : `Renamed memory block '${label}' to '${newLabel}'`,
  }
}

function applyOperations(context: ToolContext, operations: PatchOperation[]): ToolOutcome {
  const labels = operations.map((operation) => operation.label)
  if (new Set(labels).size < labels.length) return failure('Each block may stand in a patch once only.')
  const planned = operations.map((operation) => planOperation(context, operation))
  const refusals = planned.filter((plan) => typeof plan === 'string')
  if (refusals.length > 0) return failure(`No operation was carried out. ${refusals.join(' ')}`)
  const plans = planned.filter((plan) => typeof plan !== 'string')
  return success(
    `Successfully applied memory patch operations. ${RECOMPILED} Operations completed:\n${plans.map((plan) => `- ${plan.report}`).join('\n')}`,
    plans.map((plan) => plan.effect),
  )
}

export const memoryApplyPatch: BuiltinTool = {
  name: 'memory_apply_patch',
  description: `Edit memory blocks with a patch. For one block, give its label and lines that begin with a blank (context), '-' (remove) or '+' (add); the old lines must stand in the block exactly once.
For several blocks, let the patch consist of sections that begin with one of:
*** Add Block: <label>   (then an optional line "Description: …" and the text as '+' lines)
*** Update Block: <label>   (then patch lines, and/or "*** Move to: <new label>")
*** Delete Block: <label>`,
  toolType: 'letta_memory_core',
  durability: 'transactional',
  parameters: {
    type: 'object',
    properties: {
      label: { type: 'string', description: 'Label of the block to edit; ignored when the patch has sections.' },
      patch: { type: 'string', description: 'The patch, without line numbers.' },
    },
    required: ['label', 'patch'],
  },
  execute({ label, patch }, context) {
    const operations = splitOperations(String(patch))
    if (operations.length > 0) return applyOperations(context, operations)
    return editBlock(context, String(label), (value) => applyPatch(value, String(label), String(patch)))
  },
}

import { insertLines, replaceUnique } from '#memory/edit-text.ts'
import { type BuiltinTool, failure, success, type ToolContext, type ToolOutcome } from '#tools/tool.ts'
import { editBlock, findBlock, isOutcome, refuseWrite, updateEffect } from './block-edit.ts'

type Args = Record<string, unknown>

const PREFIX = '/memories/'
const RECOMPILED = 'Your system prompt will be recompiled with the new memory at the next turn.'

/** The label in a path `/memories/<label>`; a bare label is accepted too. */
function labelOf(path: unknown): string | undefined {
  if (typeof path !== 'string') return undefined
  const label = path.startsWith(PREFIX) ? path.slice(PREFIX.length) : path.replace(/^\//, '')
  return label === '' ? undefined : label
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '')
const missing = (command: string, parameter: string): ToolOutcome =>
  failure(`The command ${command} needs the parameter ${parameter}.`)

function create(args: Args, context: ToolContext): ToolOutcome {
  const label = labelOf(args.path)
  if (label === undefined) return missing('create', 'path')
  if (typeof args.description !== 'string') return missing('create', 'description')
  if (context.blocks.some((block) => block.label === label)) {
    return failure(`Memory block '${label}' exists already. Use str_replace or insert to edit it.`)
  }
  return success(`Successfully created memory block '${label}'. ${RECOMPILED}`, [
    { type: 'create-block', label, value: text(args.file_text), description: args.description },
  ])
}

function remove(args: Args, context: ToolContext): ToolOutcome {
  const label = labelOf(args.path)
  if (label === undefined) return missing('delete', 'path')
  const block = findBlock(context, label)
  if (isOutcome(block)) return block
  if (block.read_only) return failure(`Memory block '${label}' is read-only and cannot be deleted.`)
  return success(`Successfully deleted memory block '${label}'. ${RECOMPILED}`, [
    { type: 'detach-block', blockId: block.id },
  ])
}

/** Renames (old_path, new_path) or gives a new description (path, description). */
function rename(args: Args, context: ToolContext): ToolOutcome {
  const isDescribing = typeof args.path === 'string' && typeof args.description === 'string'
  const oldLabel = labelOf(isDescribing ? args.path : args.old_path)
  const newLabel = isDescribing ? oldLabel : labelOf(args.new_path)
  if (oldLabel === undefined || newLabel === undefined) return missing('rename', 'old_path and new_path')
  const block = findBlock(context, oldLabel)
  if (isOutcome(block)) return block
  const refusal = refuseWrite(block, block.value)
  if (refusal !== undefined) return failure(refusal)
  if (newLabel !== oldLabel && context.blocks.some((other) => other.label === newLabel)) {
    return failure(`Memory block '${newLabel}' exists already.`)
  }
  const effect = { ...updateEffect(block, block.value), label: newLabel }
  if (isDescribing) {
    return success(`Successfully updated the description of memory block '${oldLabel}'. ${RECOMPILED}`, [
      { ...effect, description: text(args.description) },
    ])
  }
  return success(`Successfully renamed memory block '${oldLabel}' to '${newLabel}'. ${RECOMPILED}`, [effect])
}

function edit(args: Args, context: ToolContext): ToolOutcome {
  const label = labelOf(args.path)
  if (label === undefined) return missing(String(args.command), 'path')
  if (args.command === 'str_replace') {
    if (typeof args.old_string !== 'string') return missing('str_replace', 'old_string')
    const { old_string } = args
    return editBlock(context, label, (value) => replaceUnique(value, label, old_string, text(args.new_string)))
  }
  if (typeof args.insert_text !== 'string') return missing('insert', 'insert_text')
  const { insert_text } = args
  const line = typeof args.insert_line === 'number' ? args.insert_line : -1
  return editBlock(context, label, (value) => insertLines(value, insert_text, line))
}

export const memory: BuiltinTool = {
  name: 'memory',
  description: `Manage your memory blocks, addressed as /memories/<label>. Commands:
create (path, description, file_text): a new block · str_replace (path, old_string, new_string): replace text that stands in the block exactly once · insert (path, insert_text, insert_line): add lines after a line, 0 = beginning, default end · delete (path): take a block out of your memory · rename (old_path, new_path), or (path, description) to change the description.`,
  toolType: 'letta_memory_core',
  durability: 'transactional',
  parameters: {
    type: 'object',
    properties: {
      command: {
        type: 'string',
        enum: ['create', 'str_replace', 'insert', 'delete', 'rename'],
        description: 'What to do.',
      },
      path: { type: 'string', description: 'Block to work on, as /memories/<label>.' },
      file_text: { type: 'string', description: 'create: the text of the new block.' },
      description: { type: 'string', description: 'create, rename: what the block is for.' },
      old_string: { type: 'string', description: 'str_replace: text to replace.' },
      new_string: { type: 'string', description: 'str_replace: text to put in its place.' },
      insert_line: { type: 'integer', description: 'insert: line after which to insert.' },
      insert_text: { type: 'string', description: 'insert: text to insert.' },
      old_path: { type: 'string', description: 'rename: the block as it is called now.' },
      new_path: { type: 'string', description: 'rename: the block as it will be called.' },
    },
    required: ['command'],
  },
  execute(args, context) {
    if (args.command === 'create') return create(args, context)
    if (args.command === 'delete') return remove(args, context)
    if (args.command === 'rename') return rename(args, context)
    return edit(args, context)
  },
}

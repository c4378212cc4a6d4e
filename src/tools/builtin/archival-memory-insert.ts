import { type BuiltinTool, failure, success } from '#tools/tool.ts'
import { remember } from './remember.ts'

/** Characters of one passage: 8 192 tokens (the limit of V1) at four characters a token. */
const MAX_CHARACTERS = 32_768

export const archivalMemoryInsert: BuiltinTool = {
  name: 'archival_memory_insert',
  description:
    'Store something in your archival memory, where it stays beyond your context window and can be searched. Write it so that it can be understood on its own.',
  toolType: 'letta_core',
  durability: 'transactional',
  parameters: {
    type: 'object',
    properties: {
      content: { type: 'string', description: 'What to remember.' },
      tags: { type: 'array', items: { type: 'string' }, description: 'Tags to find it by.' },
    },
    required: ['content'],
  },
  async execute({ content, tags }, context) {
    const text = String(content)
    if (text.trim() === '') return failure('content is empty, so nothing was stored.')
    if (text.length > MAX_CHARACTERS) {
      return failure(`content has ${text.length} characters, at most ${MAX_CHARACTERS} fit in one entry. Split it.`)
    }
    const distinct = Array.isArray(tags) ? [...new Set(tags.map(String))] : []
    const { effects, known } = await remember(context, [{ text, tags: distinct }])
    const [there] = known
    if (there === undefined) return success('None', effects)
    const added = distinct.filter((tag) => !there.tags.includes(tag))
    const tagged = added.length > 0 ? `\nTags added to it: ${added.join(', ')}.` : ''
    return success(
      `Your archival memory says this already, so it was not stored twice: ${there.text}${tagged}`,
      effects,
    )
  },
}

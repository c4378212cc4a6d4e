/** A compiled system prompt in its parts; null for one that it does not have. */
export interface SystemPromptParts {
  /** All that is none of the others. */
  instructions: string
  memory: string | null
  toolRules: string | null
  directories: string | null
  metadata: string | null
}

/**
 * Takes a compiled prompt apart at the tags that the compiler puts around its parts. Blocks may hold the same tags, so memory is taken
 * up to its last closing tag before what follows it.
 */
export function splitSystemPrompt(prompt: string): SystemPromptParts {
  let rest = prompt
  const take = (tag: string): string | null => {
    const isMemory = tag === 'memory_blocks'
    const start = isMemory ? rest.indexOf(`<${tag}>\n`) : rest.lastIndexOf(`<${tag}>\n`)
    const end = rest.lastIndexOf(`</${tag}>`)
    if (start < 0 || end < start) return null
    const after = end + tag.length + '</>'.length
    const part = rest.slice(start, after)
    rest = `${rest.slice(0, start).trimEnd()}\n\n${rest.slice(after).trimStart()}`.trim()
    return part
  }
  // from the end on: what stands later cannot be part of what a block says
  const metadata = take('memory_metadata')
  const directories = take('directories')
  const toolRules = take('tool_usage_rules')
  const memory = take('memory_blocks')
  return { instructions: rest, memory, toolRules, directories, metadata }
}

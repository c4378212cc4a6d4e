/** A memory block as the model finds it in its system message. */
export interface MemoryBlock {
  label: string
  value: string
  isReadOnly: boolean
}

const SECTION_START = '<memory_blocks>\n'
const SECTION_END = '\n</memory_blocks>'
const BLOCK =
  /<([^<>\n]+)>\n<description>\n[\s\S]*?\n<\/description>\n<metadata>\n([\s\S]*?)\n<\/metadata>\n(<warning>[^\n]*\n)?<value>\n([\s\S]*?)\n<\/value>\n<\/\1>/g
const LINE_NUMBER = /^\d+→ ?/gm

/** The blocks in a compiled system message, with or without line numbers; none where it has no memory section. */
export function readMemoryBlocks(systemText: string): MemoryBlock[] {
  // the agent's own instructions come first and may speak of the section
  const start = systemText.lastIndexOf(SECTION_START)
  const end = systemText.lastIndexOf(SECTION_END)
  if (start < 0 || end < start) return []
  return [...systemText.slice(start, end).matchAll(BLOCK)].map(
    ([, label = '', metadata = '', warning, value = '']) => ({
      label,
      value: warning === undefined ? value : value.replace(LINE_NUMBER, ''),
      isReadOnly: metadata.includes('- read_only=true'),
    }),
  )
}

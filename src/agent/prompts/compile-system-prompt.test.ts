import { describe, expect, it } from 'vitest'
import { compileSystemPrompt, type SystemPromptInput } from './compile-system-prompt.ts'

const input: SystemPromptInput = {
  system: 'Be kind.',
  agentType: 'letta_v1_agent',
  agentId: 'agent-1',
  conversationId: null,
  timezone: 'UTC',
  hasLineNumbers: false,
  blocks: [
    { label: 'human', value: 'Nils\nsails', description: 'About the user.', char_limit: 100, read_only: false },
    { label: 'rules', value: '$& stays', description: null, char_limit: 50, read_only: true },
  ],
  toolRules: [],
  metadata: { compiled_at: '2024-01-15T09:00:00.000Z', recall_count: 12, archival_count: 3, archival_tags: ['a', 'b'] },
}

describe('compileSystemPrompt', () => {
  it('lays out blocks and metadata as the wire contract has them', () => {
    expect(compileSystemPrompt(input)).toBe(`Be kind.

<memory_blocks>
The following memory blocks are currently engaged in your core memory unit:

<human>
<description>
About the user.
</description>
<metadata>
- chars_current=10
- chars_limit=100
</metadata>
<value>
Nils
sails
</value>
</human>

<rules>
<description>

</description>
<metadata>
- read_only=true
- chars_current=8
- chars_limit=50
</metadata>
<value>
$& stays
</value>
</rules>

</memory_blocks>

<memory_metadata>
- AGENT_ID: agent-1
- CONVERSATION_ID: default
- System prompt last recompiled: 2024-01-15 09:00:00 AM UTC+0000
- 12 previous messages between you and the user are stored in recall memory (use tools to access them)
- 3 total memories you created are stored in archival memory (use tools to access them)
- Available archival memory tags: a, b
</memory_metadata>`)
  })

  it('puts memory where {CORE_MEMORY} stands, and text that looks like a pattern as it is', () => {
    const prompt = compileSystemPrompt({ ...input, system: 'Before {CORE_MEMORY} after' })
    expect(prompt.startsWith('Before <memory_blocks>')).toBe(true)
    expect(prompt).toContain('$& stays')
    expect(prompt.endsWith('</memory_metadata> after')).toBe(true)
  })

  it('numbers the lines for models that like it', () => {
    const prompt = compileSystemPrompt({ ...input, hasLineNumbers: true })
    expect(prompt).toContain('<warning># NOTE: Line numbers shown below')
    expect(prompt).toContain('<value>\n1→ Nils\n2→ sails\n</value>')
    expect(compileSystemPrompt({ ...input, hasLineNumbers: true, agentType: 'memgpt_agent' })).not.toContain('1→')
  })

  it('leaves out what there is nothing of', () => {
    const metadata = { ...input.metadata, archival_count: 0, archival_tags: [] }
    const prompt = compileSystemPrompt({ ...input, blocks: [], metadata })
    expect(prompt).not.toContain('memory_blocks')
    expect(prompt).not.toContain('archival')
    expect(compileSystemPrompt({ ...input, agentType: 'react_agent' })).not.toContain('memory_blocks')
  })

  it('gives times in the time zone of the agent', () => {
    expect(compileSystemPrompt({ ...input, timezone: 'Asia/Kolkata' })).toContain(
      '2024-01-15 02:30:00 PM GMT+5:30+0530',
    )
  })
})

import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { attachFolder } from '#agent/agent-folders.ts'
import { createFolder } from '#memory/files/create-folder.ts'
import { DatabaseStorage } from '#memory/files/storage/database-storage.ts'
import { storeFile } from '#memory/files/store-file.ts'
import { DEFAULT_ORGANIZATION_ID } from '#platform/ids.ts'
import { listAgentFileStates } from '#store/agents/agent-file-reader.ts'
import type { Db } from '#store/db.ts'
import type { ToolContext } from '#tools/tool.ts'
import { scriptedModel } from '../../../test/support/scripted-model.ts'
import { createTestAgent, createTestEngine, say, storedMessages, TEST_ACTOR } from '../../../test/support/test-agent.ts'
import { openTestDatabase } from '../../../test/support/test-database.ts'
import { testModelRegistry } from '../../../test/support/test-models.ts'
import { grepFiles } from './grep-files.ts'
import { openFiles } from './open-files.ts'
import { semanticSearchFiles } from './semantic-search-files.ts'

let db: Db
const sent: string[] = []
beforeAll(async () => {
  db = await openTestDatabase({ onStatement: (name) => sent.push(name.split('#')[0] ?? '') })
})
afterAll(() => db[Symbol.asyncDispose]())

const models = testModelRegistry()
const deps = () => ({ db, models, maxContextWindow: 128_000 })

let number = 0
async function newFolder(files: Record<string, string>): Promise<{ id: string; name: string }> {
  number += 1
  const fields = { description: null, instructions: null, metadata: null, embedding: null }
  const folder = await createFolder(db, TEST_ACTOR, { name: `docs${number}`, ...fields })
  for (const [fileName, text] of Object.entries(files)) {
    await storeFile({ db, storage: new DatabaseStorage(db) }, TEST_ACTOR, folder.id, {
      fileName,
      mediaType: null,
      content: Readable.from([Buffer.from(text)]),
      name: null,
      duplicateHandling: 'error',
    })
  }
  return folder
}

/** An agent that has a folder with these files, and what a tool of it gets. */
async function agentWith(files: Record<string, string>, input = {}) {
  const agentId = await createTestAgent(db, models, input)
  const folder = await newFolder(files)
  await attachFolder(deps(), TEST_ACTOR, agentId, folder.id)
  return { agentId, folder, context: contextOf(agentId) }
}

const contextOf = (agentId: string): ToolContext => ({
  organizationId: DEFAULT_ORGANIZATION_ID,
  agentId,
  conversationId: '',
  runId: '',
  timezone: 'UTC',
  blocks: [],
  db,
  signal: new AbortController().signal,
  callId: '',
})

const lines = (count: number) => Array.from({ length: count }, (_, index) => `line ${index + 1}`).join('\n')

describe('grep_files', () => {
  it('gives the lines with their real numbers and their neighbours', async () => {
    const { folder, context } = await agentWith({ 'a.txt': 'one\n\nTWO needles\n\nfive\n', 'b.txt': 'a needle\n' })
    const found = await grepFiles.execute({ pattern: 'needles?' }, context)
    expect(found).toMatchObject({ status: 'success', effects: [] })
    expect(found.text).toBe(
      [
        'Found 2 total matches across 2 files (showing matches 1-2 of 2)',
        '='.repeat(80),
        'Files with matches:',
        `  - ${folder.name}/a.txt (1 matches)`,
        `  - ${folder.name}/b.txt (1 matches)`,
        '',
        `=== ${folder.name}/a.txt:3 ===`,
        '  2: ',
        '> 3: TWO needles',
        '  4: ',
        '',
        `=== ${folder.name}/b.txt:1 ===`,
        '> 1: a needle',
        '',
        'No more matches to show.',
      ].join('\n'),
    )
  })

  it('gives twenty at a time', async () => {
    const { context } = await agentWith({ 'a.txt': lines(45) })
    const first = await grepFiles.execute({ pattern: 'line', context_lines: 0 }, context)
    expect(first.text).toContain('(showing matches 1-20 of 45)')
    expect(first.text).toContain('To see more matches, call: grep_files(pattern="line", offset=20)')
    const last = await grepFiles.execute({ pattern: 'line', context_lines: 0, offset: 40 }, context)
    expect(last.text).toContain('(showing matches 41-45 of 45)')
    expect(last.text).toContain('No more matches to show.')
    expect((await grepFiles.execute({ pattern: 'line', offset: 45 }, context)).status).toBe('error')
  })

  it('searches what include names', async () => {
    const { context } = await agentWith({ 'a.py': 'x', 'b.txt': 'x', 'c.PY': 'x' })
    for (const [include, count] of [
      ['*.py', 2],
      ['?.txt', 1],
      ['b.', 1],
      ['*/b*', 1],
      ['*.md', 0],
    ] as const) {
      const { text } = await grepFiles.execute({ pattern: 'x', include }, context)
      expect(text).toContain(count === 0 ? "No matches found for pattern: 'x'" : `Found ${count} total matches`)
    }
  })

  it('never searches what the agent has not', async () => {
    await agentWith({ 'secret.txt': 'needle' })
    const { context } = await agentWith({ 'mine.txt': 'hay' })
    expect((await grepFiles.execute({ pattern: 'needle' }, context)).text).toBe(
      "No matches found for pattern: 'needle'",
    )
    const bare = contextOf(await createTestAgent(db, models))
    expect(await grepFiles.execute({ pattern: 'needle' }, bare)).toMatchObject({
      status: 'error',
      text: 'No files are currently attached to search',
    })
  })

  it.each([
    ['(', /Invalid regex/],
    ['', /empty/],
    ['a'.repeat(1001), /at most 1000/],
  ])('refuses the pattern %s', async (pattern, problem) => {
    const { context } = await agentWith({ 'a.txt': 'x' })
    expect(await grepFiles.execute({ pattern }, context)).toMatchObject({
      status: 'error',
      text: expect.stringMatching(problem),
    })
  })

  it.each(['(a+)+$', '(a|aa)+$', '(.*)*x', '^(([a-z])+.)+[0-9]([a-z])+$', '(x+x+)+y', '(a?){200}a{200}c'])(
    'takes no longer for %s, which is built to explode',
    async (pattern) => {
      const { context } = await agentWith({ 'a.txt': `${'a'.repeat(100_000)}b\nx` })
      const began = performance.now()
      const { status, text } = await grepFiles.execute({ pattern, context_lines: 0 }, context)
      expect(performance.now() - began).toBeLessThan(5_000)
      expect(status).toBe('success')
      expect(text).toContain(pattern === '(.*)*x' ? 'Found 1 total matches' : 'No matches found')
    },
  )

  it('finds what only back-references and look-around can say', async () => {
    const { context } = await agentWith({ 'a.txt': 'the the boat\nthe boat\nfoo bar' })
    const twice = await grepFiles.execute({ pattern: '\\b(\\w+) \\1\\b', context_lines: 0 }, context)
    expect(twice.text).toContain('> 1: the the boat')
    const notBar = await grepFiles.execute({ pattern: 'foo (?!boat)', context_lines: 0 }, context)
    expect(notBar.text).toContain('> 3: foo bar')
  })

  it('ends a pattern of the kind that can explode, while the server goes on', async () => {
    const { context } = await agentWith({ 'a.txt': `${'a'.repeat(5_000)}b` })
    let ticks = 0
    const ticker = setInterval(() => {
      ticks += 1
    }, 50)
    const began = performance.now()
    const found = await grepFiles.execute({ pattern: '(a+)+\\1$' }, context)
    const took = performance.now() - began
    clearInterval(ticker)
    expect(found).toMatchObject({
      status: 'error',
      text: expect.stringContaining('took too long. Use a simpler pattern, without'),
    })
    expect(took).toBeGreaterThan(9_500)
    expect(took).toBeLessThan(25_000)
    // the event loop was free: it would have ticked two hundred times on an idle machine
    expect(ticks).toBeGreaterThan(20)
  }, 60_000)
})

describe('semantic_search_files', () => {
  it('finds words in any inflection, the best passage first, with real line numbers', async () => {
    const { folder, context } = await agentWith({
      'sea.md': `${lines(100)}\nThe boats are sailing at night.\nThe end.`,
      'land.md': 'A boat on a truck.',
    })
    const { text } = await semanticSearchFiles.execute({ query: 'sailing boat' }, context)
    expect(text).toContain("Found 2 semantic matches in 2 files for query: 'sailing boat'")
    expect(text).toContain('101: The boats are sailing at night.')
    expect(text.indexOf(`=== ${folder.name}/sea.md (passage #`)).toBeLessThan(
      text.indexOf(`=== ${folder.name}/land.md (passage #1) === by words #2\n`),
    )
    const one = await semanticSearchFiles.execute({ query: 'sailing boat', limit: 1 }, context)
    expect(one.text).toContain('Found 1 semantic matches in 1 files')
    const part = await semanticSearchFiles.execute({ query: 'ailin' }, context)
    expect(part.text).toContain('Found 1')
    expect(part.text).toContain(' === by parts of words\n')
    expect((await semanticSearchFiles.execute({ query: 'mountain' }, context)).text).toBe(
      "No semantic matches found for query: 'mountain'",
    )
  })

  it('never finds what the agent has not', async () => {
    await agentWith({ 'secret.txt': 'a hidden treasure' })
    const { context } = await agentWith({ 'mine.txt': 'nothing' })
    expect((await semanticSearchFiles.execute({ query: 'treasure' }, context)).text).toMatch(/^No semantic matches/)
    const bare = contextOf(await createTestAgent(db, models))
    expect((await semanticSearchFiles.execute({ query: 'treasure' }, bare)).status).toBe('error')
  })
})

describe('open_files', () => {
  it('refuses what is not there, with the names that are', async () => {
    const { folder, context } = await agentWith({ 'a.txt': lines(3) }, { max_files_open: 1 })
    const open = (file_requests: object[]) => openFiles.execute({ file_requests }, context)
    const name = `${folder.name}/a.txt`
    expect((await open([{ file_name: 'b.txt' }])).text).toBe(
      `b.txt not attached - did you get the filename correct? Currently you have the following files attached: [${name}]`,
    )
    expect((await open([{ file_name: name }, { file_name: 'b.txt' }])).text).toBe(
      'Cannot open 2 files: exceeds configured maximum limit of 1 files',
    )
    expect((await open([{ file_name: name, offset: 3 }])).text).toContain('has 3 lines')
    expect((await open([{ file_name: name, offset: 2, length: 9 }])).text).toBe(
      `* Opened ${name} (lines 3-3) (previously full file)\n\n=== ${name} ===\n[Viewing lines 3 to 3 (out of 3 lines)]\n3: line 3`,
    )
  })

  it('commits with its result, closes what was not used, and is seen in the next prompt', async () => {
    const folder = await newFolder({ 'a.txt': lines(60), 'b.txt': 'bee', 'c.txt': 'sea' })
    const name = (file: string) => `${folder.name}/${file}`
    const { registry, requests } = scriptedModel((_request, index) =>
      index === 0
        ? {
            toolCalls: [
              {
                name: 'open_files',
                arguments: {
                  file_requests: [{ file_name: name('a.txt'), offset: 10, length: 5 }, { file_name: name('c.txt') }],
                },
              },
            ],
          }
        : { text: 'Read.' },
    )
    const agentId = await createTestAgent(db, registry, { max_files_open: 2 })
    await attachFolder({ db, models: registry, maxContextWindow: 128_000 }, TEST_ACTOR, agentId, folder.id)
    const engine = createTestEngine(db, registry)
    sent.length = 0
    const said = await say(engine, agentId, 'Read it')
    // as many statements as with any other tool: the new prompt is compiled once, since the folder came
    expect(sent.filter((statement) => statement.startsWith('commit-tool-result'))).toHaveLength(1)
    const result = said.messages.find((message) => message.role === 'tool')?.tool_returns?.[0]
    expect(result).toMatchObject({ status: 'success' })
    expect(result?.text).toContain(
      `* Opened 2 files: ${name('a.txt')} (lines 11-15) (previously full file), ${name('c.txt')} (full file)\nNote: Closed 1 least recently used file(s) due to open file limit: ${name('b.txt')}`,
    )
    expect(result?.text).toContain('[Viewing lines 11 to 15 (out of 60 lines)]\n11: line 11')
    const files = await listAgentFileStates(db, DEFAULT_ORGANIZATION_ID, agentId)
    expect(files.map((file) => [file.file_name, file.is_open, file.start_line, file.end_line])).toEqual([
      [name('a.txt'), true, 11, 15],
      [name('b.txt'), false, null, null],
      [name('c.txt'), true, null, null],
    ])
    await say(engine, agentId, 'And now?')
    sent.length = 0
    await say(engine, agentId, 'And again?')
    expect(sent).toEqual(['start-run', 'load-thread', 'list-context-messages', 'advance-run'])
    const prompts = requests.map(({ messages: [system] }) => (system?.role === 'system' ? system.text : ''))
    expect(prompts[1]).toBe(prompts[0])
    expect(prompts[2]).toContain('[Viewing lines 11 to 15 (out of 60 lines)]\n11: line 11')
    expect(prompts[2]).toContain(`<file status="closed" name="${name('b.txt')}">`)
    expect(prompts[3]).toBe(prompts[2])
    const [system] = await storedMessages(db, agentId)
    expect(system?.content).toEqual([{ type: 'text', text: prompts[3] }])
  })

  it('closes all others when asked', async () => {
    const { folder, context } = await agentWith({ 'a.txt': 'a', 'b.txt': 'b' })
    const request = { file_requests: [{ file_name: `${folder.name}/a.txt` }], close_all_others: true }
    const outcome = await openFiles.execute(request, context)
    expect(outcome.text).toContain(`Note: Closed 1 other file(s): ${folder.name}/b.txt`)
    expect(outcome.effects).toMatchObject([{ type: 'view-files', views: [{ is_open: false }, { is_open: true }] }])
  })
})

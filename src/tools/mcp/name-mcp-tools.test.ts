import { expect, test } from 'vitest'
import { nameMcpTools, namesOfMcpTool } from './name-mcp-tools.ts'

const name = (server: string, remote: string[], taken: string[] = [], known: [string, string][] = []) =>
  nameMcpTools(server, remote, { known: new Map(known), isTaken: (one) => taken.includes(one) })

test('a free name stays, a taken one gets the name of its server', () => {
  expect(Object.fromEntries(name('git hub', ['search', 'fetch'], ['search']))).toEqual({
    search: 'git_hub_search',
    fetch: 'fetch',
  })
  const [third] = [...name('s', ['search'], ['search', 's_search']).values()]
  expect(third).toMatch(/^s_search_[\da-f]{8}$/)
})

test('every name is one that providers take, and no two are the same', () => {
  const remote = ['a.b', 'a/b', 'a b', 'a_b', 'ü', '', '_', 'x'.repeat(60), `${'x'.repeat(60)}y`, `${'x'.repeat(128)}`]
  const names = [...name('server with a very long name that goes on and on and on', remote).values()]
  expect(names).toHaveLength(remote.length)
  expect(new Set(names).size).toBe(remote.length)
  for (const one of names) expect(one).toMatch(/^[a-zA-Z0-9_-]{1,48}$/)
})

test('a name that was given stays with its tool, whoever comes', () => {
  const names = name('s', ['new', 'old'], [], [['old', 'new']])
  expect(Object.fromEntries(names)).toEqual({ old: 'new', new: 's_new' })
})

test('the names of a tool are always the same', () => {
  expect(namesOfMcpTool('s', 'x'.repeat(60))).toEqual(namesOfMcpTool('s', 'x'.repeat(60)))
  expect(namesOfMcpTool('s', 'x'.repeat(60))[0]).not.toBe(namesOfMcpTool('t', 'x'.repeat(60))[0])
})

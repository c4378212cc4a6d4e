import { expect, it } from 'vitest'
import { success } from '#tools/tool.ts'
import { rebaseOutcome } from './rebase-outcome.ts'

const block = (id: string, value: string, version: number) => ({
  id,
  label: id,
  value,
  description: null as string | null,
  char_limit: 100,
  read_only: false,
  version,
})
const edit = (id: string, expectedVersion: number) => ({
  type: 'update-block' as const,
  blockId: id,
  expectedVersion,
  label: id,
  value: 'new',
  description: null,
})

const rebase = (
  effects: ReturnType<typeof edit>[],
  before: ReturnType<typeof block>[],
  now: ReturnType<typeof block>[],
) => rebaseOutcome(success('done', effects), before, now)

it('keeps an edit of a block whose value nobody has changed, and drops one that is in the way of another, with a note', () => {
  const before = [block('same', 'a', 1), block('changed', 'a', 1), block('gone', 'a', 1)]
  const now = [block('same', 'a', 4), block('changed', 'b', 2)]
  const { effects, text } = rebase([edit('same', 1), edit('changed', 1), edit('gone', 1)], before, now)
  expect(effects).toEqual([edit('same', 4)])
  expect(text).toMatch(/^done\n\[NOTE: .*`changed`.*\]\n\[NOTE: .*`gone`.*\]$/)
})

it('keeps both changes where they are of different lines', () => {
  const effect = { ...edit('notes', 1), value: 'a\nb\nby the tool' }
  const { effects, text } = rebase([effect], [block('notes', 'a\nb', 1)], [block('notes', 'A\nb\nby another', 3)])
  expect(effects).toEqual([{ ...effect, expectedVersion: 3, value: 'A\nb\nby another\nby the tool' }])
  expect(text).toBe('done')
})

it('keeps a label and a description that somebody else gave it', () => {
  const before = { ...block('b', 'x', 1), label: 'old' }
  const now = { ...before, label: 'new', description: 'What for', version: 2 }
  const effect = { ...edit('b', 1), label: 'old' }
  expect(rebase([effect], [before], [now]).effects).toEqual([
    { ...effect, expectedVersion: 2, label: 'new', description: 'What for' },
  ])
})

it('drops an edit with which the block would be too long, or that it does not allow any more', () => {
  const before = [block('long', 'a', 1), block('fixed', 'a', 1)]
  const now = [block('long', `a\n${'x'.repeat(98)}`, 2), { ...block('fixed', 'a', 2), read_only: true }]
  const { effects, text } = rebase([{ ...edit('long', 1), value: 'a\nb' }, edit('fixed', 1)], before, now)
  expect(effects).toEqual([])
  expect(text).toMatch(/`long`.*\n.*`fixed`/)
})

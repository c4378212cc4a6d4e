import { expect, it } from 'vitest'
import { success } from '#tools/tool.ts'
import { rebaseOutcome } from './rebase-outcome.ts'

const block = (id: string, value: string, version: number) => ({
  id,
  label: id,
  value,
  description: null,
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

it('keeps an edit of a block whose value nobody has changed, and drops the others with a note', () => {
  const outcome = success('done', [edit('same', 1), edit('changed', 1), edit('gone', 1)])
  const before = [block('same', 'a', 1), block('changed', 'a', 1), block('gone', 'a', 1)]
  const now = [block('same', 'a', 4), block('changed', 'b', 2)]
  const { effects, text } = rebaseOutcome(outcome, before, now)
  expect(effects).toEqual([edit('same', 4)])
  expect(text).toMatch(/^done\n\[NOTE: .*`changed`.*\]\n\[NOTE: .*`gone`.*\]$/)
})

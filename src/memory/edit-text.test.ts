import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { applyPatch, insertLines, replaceUnique } from './edit-text.ts'

describe('replaceUnique', () => {
  it('replaces the only occurrence, also with text that looks like a replacement pattern', () => {
    expect(replaceUnique('a b c', 'human', 'b', '$& $1')).toEqual({ ok: true, value: 'a $& $1 c' })
  })

  it('refuses what is not there, and what is there twice, with the lines', () => {
    expect(replaceUnique('a', 'human', 'b', 'c')).toMatchObject({
      ok: false,
      problem: expect.stringContaining('did not appear verbatim'),
    })
    expect(replaceUnique('x\ny\nx', 'human', 'x', 'c')).toMatchObject({
      ok: false,
      problem: expect.stringContaining('in lines [1, 3]'),
    })
    expect(replaceUnique('aaa', 'human', 'aa', 'c').ok).toBe(false)
    expect(replaceUnique('a', 'human', '', 'c').ok).toBe(false)
  })

  it('refuses line numbers, which are a view and not part of the block', () => {
    expect(replaceUnique('a', 'human', '1→ a', 'b')).toMatchObject({
      ok: false,
      problem: expect.stringContaining('line number'),
    })
    expect(replaceUnique('a', 'human', 'a', '1→ b').ok).toBe(false)
  })

  it('takes out what it put in', () => {
    void fc.assert(
      fc.property(fc.string(), fc.string(), (head, tail) => {
        const marker = '\u0001mark\u0001'
        const put = replaceUnique(`${head}\u0002${tail}`, 'l', '\u0002', marker)
        fc.pre(put.ok && !head.includes('\u0002') && !tail.includes('\u0002') && !`${head}${tail}`.includes(marker))
        expect(put.ok && replaceUnique(put.value, 'l', marker, '\u0002')).toEqual({
          ok: true,
          value: `${head}\u0002${tail}`,
        })
      }),
    )
  })
})

describe('insertLines', () => {
  it.each([
    [0, 'new\na\nb'],
    [1, 'a\nnew\nb'],
    [2, 'a\nb\nnew'],
    [-1, 'a\nb\nnew'],
  ])('after line %i', (line, value) => {
    expect(insertLines('a\nb', 'new', line)).toEqual({ ok: true, value })
  })

  it('fills an empty block, and refuses a line that is not there', () => {
    expect(insertLines('', 'new', -1)).toEqual({ ok: true, value: 'new' })
    expect(insertLines('a', 'new', 7)).toMatchObject({ ok: false, problem: expect.stringContaining('0 to 1') })
    expect(insertLines('a', 'new', -2).ok).toBe(false)
    expect(insertLines('a', 'new', 0.5).ok).toBe(false)
  })
})

describe('applyPatch', () => {
  it('removes, adds and keeps', () => {
    expect(applyPatch('a\nb\nc', 'l', ' a\n-b\n+B\n c')).toEqual({ ok: true, value: 'a\nB\nc' })
  })

  it('applies several hunks and appends a hunk without context', () => {
    expect(applyPatch('a\nb\nc', 'l', '@@\n-a\n+A\n@@\n-c\n+C\n@@\n+d')).toEqual({ ok: true, value: 'A\nb\nC\nd' })
    expect(applyPatch('', 'l', '+first')).toEqual({ ok: true, value: 'first' })
  })

  it('refuses a hunk that is not there, or in two places, or not a patch', () => {
    expect(applyPatch('a', 'l', '-b')).toMatchObject({ ok: false, problem: expect.stringContaining('was not found') })
    expect(applyPatch('a\na', 'l', '-a')).toMatchObject({ ok: false, problem: expect.stringContaining('2 times') })
    expect(applyPatch('a', 'l', 'a')).toMatchObject({ ok: false, problem: expect.stringContaining('begins neither') })
  })
})

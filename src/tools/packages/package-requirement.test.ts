import { describe, expect, it } from 'vitest'
import { toNpmArguments, toPipArguments } from './package-requirement.ts'

const plain = (name: string, version: string | null = null) => ({ name, version })

describe('requirements of pip', () => {
  it('are names with versions, in one order, each once', () => {
    expect(
      toPipArguments([
        plain('requests', '2.31.0'),
        plain('httpx[http2]', '>=0.27, <1'),
        plain(' numpy '),
        plain('numpy', ''),
        plain('six', '~=1.16'),
      ]),
    ).toEqual(['httpx[http2]>=0.27,<1', 'numpy', 'requests==2.31.0', 'six~=1.16'])
  })

  it.each([
    plain('--index-url=http://evil.example'),
    plain('-r', '/etc/passwd'),
    plain('git+https://example.com/x.git'),
    plain('./local'),
    plain('/etc'),
    plain('https://example.com/x.whl'),
    plain('x @ file:///etc'),
    plain('requests', '1.0 --index-url http://evil.example'),
    plain('requests', '1.0; import os'),
    plain('requests', '@ https://evil.example'),
    plain('re quests'),
    plain(''),
    plain('a\nb'),
  ])('refuse %j', (requirement) => {
    expect(() => toPipArguments([requirement])).toThrow(/pip_requirements/)
  })
})

describe('requirements of npm', () => {
  it('are names with versions, ranges or tags', () => {
    expect(
      toNpmArguments([plain('@scope/pkg', '^1.2.3'), plain('left-pad'), plain('zod', 'latest'), plain('a', '>=1 <2')]),
    ).toEqual(['@scope/pkg@^1.2.3', 'a@>=1 <2', 'left-pad', 'zod@latest'])
  })

  it.each([
    plain('--registry=http://evil.example'),
    plain('git+ssh://example.com/x'),
    plain('user/repo'),
    plain('../x'),
    plain('x', 'file:../y'),
    plain('x', 'npm:other@1'),
    plain('x', 'https://evil.example/x.tgz'),
    plain('x', 'user/repo'),
    plain('x', 'workspace:*'),
    plain('X Y'),
  ])('refuse %j', (requirement) => {
    expect(() => toNpmArguments([requirement])).toThrow(/npm_requirements/)
  })

  it('refuse more than fifty', () => {
    expect(() => toNpmArguments(Array.from({ length: 51 }, (_, index) => plain(`p${index}`)))).toThrow(/more than 50/)
  })
})

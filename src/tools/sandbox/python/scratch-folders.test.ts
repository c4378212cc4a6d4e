import { mkdir, mkdtemp, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { measureScratch, ScratchFolders } from './scratch-folders.ts'

let parent: string
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'perdure-scratch-test-'))
})
afterEach(() => rm(parent, { recursive: true, force: true }))

test('folders of servers that were killed are removed when a day has passed', async () => {
  const yesterday = new Date(Date.now() - 25 * 3600 * 1000)
  for (const name of ['perdure-tools-old', 'perdure-tools-new', 'other-old']) {
    await mkdir(join(parent, name, 'inside'), { recursive: true })
    if (name.endsWith('old')) await utimes(join(parent, name), yesterday, yesterday)
  }
  const scratch = await ScratchFolders.open(parent)
  const own = (await scratch?.create())?.split('/').at(-2)
  expect((await readdir(parent)).sort()).toEqual(['other-old', 'perdure-tools-new', own].sort())
  await scratch?.[Symbol.asyncDispose]()
  expect((await readdir(parent)).sort()).toEqual(['other-old', 'perdure-tools-new'])
})

test('there are none where none can be made', async () => {
  expect(await ScratchFolders.open(null)).toBeUndefined()
  expect(await ScratchFolders.open(join(parent, 'missing'))).toBeUndefined()
})

test('small files count as blocks, and links are not followed', async () => {
  await mkdir(join(parent, 'a/b'), { recursive: true })
  await writeFile(join(parent, 'a/b/small'), 'x')
  await writeFile(join(parent, 'big'), Buffer.alloc(1024 * 1024, 1))
  await symlink('/usr', join(parent, 'link'))
  const size = await measureScratch(parent, 0, Number.MAX_SAFE_INTEGER)
  expect(size).toBeGreaterThanOrEqual(1024 * 1024 + 4 * 4096)
  expect(size).toBeLessThan(1024 * 1024 + 10 * 4096)
})

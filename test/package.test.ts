import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePort, startServerProcess } from './support/server-process.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const run = promisify(execFile)

let folder: string
let packed: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perdure-package-'))
  await run('npm', ['pack', '--pack-destination', folder], { cwd: root })
  const [tarball = ''] = (await readdir(folder)).filter((name) => name.endsWith('.tgz'))
  await run('tar', ['-xzf', join(folder, tarball), '-C', folder])
  packed = join(folder, 'package')
  // what npm would install beside it is what stands here already
  await symlink(join(root, 'node_modules'), join(packed, 'node_modules'))
}, 120_000)
afterAll(() => rm(folder, { recursive: true, force: true }))

/** A Node of the machine that is older than the one which we bring, if there is one. */
async function findOlderNode(): Promise<string | undefined> {
  for (const directory of (process.env.PATH ?? '').split(delimiter)) {
    const node = join(directory, 'node')
    if (directory.includes('node_modules') || !existsSync(node)) continue
    const { stdout } = await run(node, ['--version'])
    if (Number(stdout.slice(1).split('.')[0]) < 24) return node
  }
  return undefined
}
const olderNode = await findOlderNode()

describe('the runtime', () => {
  it('is Node 24 in npm scripts, whatever Node the machine has', () => {
    expect(Number(process.versions.node.split('.')[0])).toBeGreaterThanOrEqual(24)
  })

  it.runIf(olderNode !== undefined)(`is Node 24 for the command too, here called with ${olderNode}`, async () => {
    const { stdout } = await run(olderNode ?? '', [join(root, 'bin/perdure.mjs'), '--version'])
    expect(stdout.trim()).toBe('0.1.0')
  })
})

describe('the command on an older Node', () => {
  it.runIf(olderNode !== undefined)('does not leave the server behind when it is killed with -9', async () => {
    const env = { PERDURE_DATA_DIR: join(folder, 'orphan') }
    const command = [olderNode ?? '', join(root, 'bin/perdure.mjs')] as const
    const server = await startServerProcess(await freePort(), env, command)
    await server.kill()
    const isUp = () =>
      fetch(`${server.url}/health`).then(
        () => true,
        () => false,
      )
    await expect.poll(isUp, { timeout: 10_000 }).toBe(false)
  })
})

describe('the published package', () => {
  it('holds what runs and nothing else, and names no machine', async () => {
    const files = (await readdir(packed, { recursive: true })).filter((name) => !name.startsWith('node_modules'))
    expect(files).toContain('dist/main.js')
    expect(files).toContain('migrations/0001-first-schema.sql')
    expect(files).toContain('docs/configuration.md')
    expect(files.filter((name) => name.endsWith('.ts') || name.startsWith('src') || name.startsWith('test'))).toEqual(
      [],
    )
    for (const name of files.filter((file) => /\.(js|mjs|json|md)$/.test(file))) {
      expect((await readFile(join(packed, name), 'utf8')).includes(root), `${name} names ${root}`).toBe(false)
    }
  })

  it('makes sentence vectors of its own', async () => {
    const main = join(packed, 'embed.mjs')
    await writeFile(
      main,
      `import { openLocalEmbedder } from './dist/llm/embeddings/open-local-embedder.js'
      await using embedder = openLocalEmbedder({ cacheDir: ${JSON.stringify(join(folder, 'cache'))}, logger: console })
      const vectors = await embedder.embed(['Hello', 'world'])
      console.log(vectors.map((vector) => vector.length).join())`,
    )
    // Node of our own: the command changes to it by itself
    const { stdout, stderr } = await run(process.execPath, [main])
    expect({ stdout: stdout.trim(), stderr }).toEqual({ stdout: '384,384', stderr: '' })
    expect(await readdir(join(folder, 'cache'))).toHaveLength(1)
    await rm(main)
  })

  it('starts a server on the Node that calls it, keeps what was said, and ends on SIGTERM', async () => {
    const command = [olderNode ?? process.execPath, join(packed, 'bin/perdure.mjs')] as const
    const env = { PERDURE_DATA_DIR: join(folder, 'data') }
    const port = await freePort()
    const first = await startServerProcess(port, env, command)
    const post = async (path: string, body: object) => {
      const response = await fetch(`${first.url}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
      expect(response.status).toBe(200)
      return (await response.json()) as { id: string }
    }
    const memory_blocks = [{ label: 'human', value: '' }]
    const agent = await post('/v1/agents/', { model: 'perdure/demo', memory_blocks })
    await post(`/v1/agents/${agent.id}/messages`, { input: 'My name is Nils.' })
    expect(await first.stop()).toBe(0)
    const second = await startServerProcess(port, env, command)
    const block = await fetch(`${second.url}/v1/agents/${agent.id}/core-memory/blocks/human`)
    expect(await block.json()).toMatchObject({ value: "The user's name is Nils." })
    expect(await second.stop()).toBe(0)
  })
})

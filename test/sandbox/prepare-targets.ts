import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AttackTargets } from './attacks/attack.ts'

export interface PreparedTargets extends AsyncDisposable {
  targets: AttackTargets
  /** Connections that arrived anywhere. */
  connections(): number
  /** What is not as it was; null where nothing changed. */
  findDamage(): Promise<string | null>
}

/**
 * Real files, listeners and secrets for attacks.
 * @param readOnly where no file can be made (a locked-down pod): then an existing file stands for the server's
 */
export async function prepareTargets(readOnly?: { secretPath: string }): Promise<PreparedTargets> {
  const folder = readOnly === undefined ? await mkdtemp(join(tmpdir(), 'perdure-targets-')) : null
  const secretPath = readOnly?.secretPath ?? join(folder ?? '', 'secret.txt')
  const secret = folder === null ? await readFile(secretPath, 'utf8') : `SECRET-${randomBytes(12).toString('hex')}`
  if (folder !== null) {
    await writeFile(secretPath, secret)
    await chmod(secretPath, 0o644)
  }
  process.env.PERDURE_ATTACK_SECRET = secret
  let count = 0
  const servers: Server[] = []
  const listen = async (where: { port: number; host: string } | { path: string }): Promise<Server> => {
    const server = createServer((socket) => {
      count += 1
      socket.on('error', () => {})
      socket.end(secret)
    })
    server.listen(where)
    await once(server, 'listening')
    servers.push(server)
    return server
  }
  const tcp = await listen({ port: 0, host: '127.0.0.1' })
  const unixPath = folder === null ? null : join(folder, 'listener.sock')
  if (unixPath !== null) await listen({ path: unixPath })
  const abstractName = `perdure-attack-${randomBytes(8).toString('hex')}`
  await listen({ path: `\0${abstractName}` })
  return {
    targets: {
      secret,
      secretPath,
      outsideFolder: folder ?? '/tmp',
      tcpPort: (tcp.address() as AddressInfo).port,
      unixPath,
      abstractName,
      serverPid: process.pid,
    },
    connections: () => count,
    async findDamage() {
      if ((await readFile(secretPath, 'utf8')) !== secret) return 'the file of the server was changed'
      if (folder === null) return null
      if (((await stat(secretPath)).mode & 0o777) !== 0o644) return 'the mode of the file was changed'
      const names = (await readdir(folder)).sort().join(' ')
      return names === 'listener.sock secret.txt' ? null : `the folder of the server has ${names}`
    },
    async [Symbol.asyncDispose]() {
      for (const server of servers) server.close()
      if (folder !== null) await rm(folder, { recursive: true, force: true })
    },
  }
}

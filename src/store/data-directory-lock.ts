import { createHash } from 'node:crypto'
import { unlink } from 'node:fs/promises'
import { createConnection, createServer, type Server } from 'node:net'
import { DomainError } from '#platform/errors.ts'

/**
 * Takes a directory for this process, or throws a `conflict` that names the process which has it. Held by listening sockets,
 * so that the operating system frees it however the process ends, also by kill -9; a file with a process id would outlive it.
 * On Linux an abstract socket, which is taken atomically, and beside the directory one with a path, which processes in other
 * containers see too.
 */
export async function lockDataDirectory(directory: string): Promise<AsyncDisposable> {
  const digest = createHash('sha256').update(directory).digest('hex').slice(0, 32)
  const path = `${directory}.lock`
  const names: string[] = []
  if (process.platform === 'linux') names.push(`\0perdure-${digest}`)
  if (process.platform === 'win32') names.push(`\\\\.\\pipe\\perdure-${digest}`)
  // the kernel's limit for the path of a socket is 107 bytes, macOS's 103
  else if (Buffer.byteLength(path) <= 103) names.push(path)

  const servers: Server[] = []
  const release = async () => {
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  }
  for (const name of names) {
    try {
      servers.push(await listen(name, directory))
    } catch (error) {
      await release()
      throw error
    }
  }
  return { [Symbol.asyncDispose]: release }
}

async function listen(name: string, directory: string): Promise<Server> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await tryListen(name)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    }
    const holder = await askHolder(name)
    if (holder === undefined && attempt === 1 && name.startsWith('/')) {
      // nobody answers: left by a process that was killed
      await unlink(name).catch(() => {})
      continue
    }
    const by = holder === undefined || holder === '' ? 'another process' : `process ${holder}`
    throw new DomainError(
      'conflict',
      `the database in ${directory} is in use by ${by}; stop it, or choose another PERDURE_DATA_DIR`,
    )
  }
}

function tryListen(name: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.on('error', () => {})
      socket.end(String(process.pid))
    })
    server.unref()
    server.once('error', reject)
    server.listen(name, () => resolve(server))
  })
}

/** The process id that the holder answers with; empty when it is too busy to answer, undefined when nobody listens. */
function askHolder(name: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    let answer = ''
    const socket = createConnection(name)
    socket.setTimeout(1000, () => socket.destroy())
    socket.on('data', (data) => {
      answer += data
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code === 'ECONNREFUSED' || error.code === 'ENOENT' ? undefined : '')
    })
    socket.on('close', () => resolve(answer))
  })
}

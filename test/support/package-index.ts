import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** An index of Python packages and a registry of npm packages on this machine, with packages that tests make up. */
export interface PackageIndex extends AsyncDisposable {
  pipIndexUrl: string
  npmRegistryUrl: string
  /** Paths that were asked for. */
  requests: string[]
}

export interface PythonPackage {
  name: string
  version: string
  /** Files of a wheel, by path. */
  wheel?: Record<string, string>
  /** Files of a source distribution, which an installer would have to run. */
  source?: Record<string, string>
}

export interface NpmPackage {
  name: string
  version: string
  packageJson?: object
  files: Record<string, string>
}

export async function startPackageIndex(python: PythonPackage[], npm: NpmPackage[]): Promise<PackageIndex> {
  const files = new Map<string, { type: string; body: Buffer | string }>()
  const requests: string[] = []
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://x').pathname)
    requests.push(path)
    const file = files.get(path)
    response.writeHead(file === undefined ? 404 : 200, { 'content-type': file?.type ?? 'text/plain' })
    response.end(file?.body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  for (const one of python) addPython(files, one)
  for (const one of npm) addNpm(files, origin, one)
  return {
    pipIndexUrl: `${origin}/simple`,
    npmRegistryUrl: `${origin}/npm`,
    requests,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

type Files = Map<string, { type: string; body: Buffer | string }>

function addPython(files: Files, { name, version, wheel, source }: PythonPackage): void {
  const links: string[] = []
  const add = (fileName: string, body: Buffer) => {
    files.set(`/files/${fileName}`, { type: 'application/octet-stream', body })
    links.push(`<a href="/files/${fileName}">${fileName}</a>`)
  }
  if (wheel !== undefined) {
    const info = `${name}-${version}.dist-info`
    const record = [...Object.keys(wheel), `${info}/METADATA`, `${info}/WHEEL`, `${info}/RECORD`]
    const all = {
      ...wheel,
      [`${info}/METADATA`]: `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n`,
      [`${info}/WHEEL`]: 'Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
      [`${info}/RECORD`]: `${record.map((path) => `${path},,`).join('\n')}\n`,
    }
    add(`${name}-${version}-py3-none-any.whl`, zip(all))
  }
  if (source !== undefined) add(`${name}-${version}.tar.gz`, tarGz(`${name}-${version}`, source))
  files.set(`/simple/${name}/`, {
    type: 'text/html',
    body: `<!doctype html><html><body>${links.join('')}</body></html>`,
  })
}

function addNpm(files: Files, origin: string, { name, version, packageJson, files: own }: NpmPackage): void {
  const manifest = { name, version, ...packageJson }
  const tarball = tarGz('package', { ...own, 'package.json': JSON.stringify(manifest) })
  const path = `/npm/${name}/-/${name}-${version}.tgz`
  files.set(path, { type: 'application/octet-stream', body: tarball })
  const dist = {
    tarball: `${origin}${path}`,
    integrity: `sha512-${createHash('sha512').update(tarball).digest('base64')}`,
  }
  const body = JSON.stringify({
    name,
    'dist-tags': { latest: version },
    versions: { [version]: { ...manifest, dist } },
  })
  files.set(`/npm/${name}`, { type: 'application/json', body })
}

/** Packs files with one of the machine's programs; `{}` of its arguments is the archive. */
function pack(files: Record<string, string>, command: string, args: readonly string[], folder: string): Buffer {
  const work = mkdtempSync(join(tmpdir(), 'perdure-package-'))
  try {
    const root = join(work, folder)
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true })
      writeFileSync(join(root, path), text)
    }
    const archive = join(work, 'archive')
    execFileSync(
      command,
      args.map((text) => (text === '{}' ? archive : text)),
      { cwd: work },
    )
    return readFileSync(archive)
  } finally {
    rmSync(work, { recursive: true })
  }
}

const zip = (files: Record<string, string>): Buffer => {
  const tops = [...new Set(Object.keys(files).map((path) => path.split('/')[0] ?? path))]
  return pack(files, 'python3', ['-m', 'zipfile', '-c', '{}', ...tops], '.')
}

const tarGz = (folder: string, files: Record<string, string>): Buffer =>
  pack(files, 'tar', ['-czf', '{}', folder], folder)

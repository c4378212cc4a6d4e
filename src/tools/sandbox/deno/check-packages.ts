import { readdir, realpath } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { SandboxUnavailable } from '#tools/sandbox/tool-runner.ts'

/**
 * The real path of a folder of packages, of which nothing leads out: Deno allows a path and follows whatever link lies there, so a package
 * could bring the way to any file. Throws SandboxUnavailable.
 */
export async function checkPackages(folder: string): Promise<string> {
  const root = await realpath(folder).catch(() => {
    throw new SandboxUnavailable(`The packages of the tool are not there: ${folder}. Install them again.`)
  })
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (entry.isSymbolicLink()) await checkLink(join(entry.parentPath, entry.name), root)
  }
  return root
}

async function checkLink(path: string, root: string): Promise<void> {
  const target = await realpath(path).catch(() => undefined)
  if (target === undefined || target.startsWith(root + sep)) return
  throw new SandboxUnavailable(
    `${path} is a link out of the folder of packages, so they are not used. Install them again without it.`,
  )
}

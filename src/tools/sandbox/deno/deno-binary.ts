import { accessSync, constants } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { SandboxUnavailable } from '#tools/sandbox/tool-runner.ts'

/** Packages of npm that hold nothing but the program, by platform; `deno` itself only picks one of them. */
const PACKAGES: Record<string, string> = {
  'linux-x64': '@deno/linux-x64-glibc',
  'linux-arm64': '@deno/linux-arm64-glibc',
  'darwin-x64': '@deno/darwin-x64',
  'darwin-arm64': '@deno/darwin-arm64',
}

/** Absolute path of the Deno that was installed with this package; never one of `PATH`. Throws SandboxUnavailable. */
export function findDenoBinary(): string {
  const platform = `${process.platform}-${process.arch}`
  const name = PACKAGES[platform]
  if (name === undefined) {
    throw new SandboxUnavailable(
      `there is no Deno for ${platform}, in which TypeScript tools run. Run the server on Linux (x64 or arm64, glibc) or macOS.`,
    )
  }
  try {
    const own = createRequire(import.meta.url)
    const binary = join(
      dirname(createRequire(own.resolve('deno/package.json')).resolve(`${name}/package.json`)),
      'deno',
    )
    accessSync(binary, constants.X_OK)
    return binary
  } catch (error) {
    throw new SandboxUnavailable(
      `Deno is not installed (${(error as NodeJS.ErrnoException).code}): the package ${name} is missing or not executable. Install without --omit=optional, on the platform that the server runs on.`,
    )
  }
}

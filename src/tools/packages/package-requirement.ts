import { unprocessable } from '#platform/errors.ts'

/** A package by name, and a version where it matters. */
export interface PackageRequirement {
  name: string
  version: string | null
}

/** PEP 508's names, with extras: `httpx[http2]`. */
const PIP_NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,100}[A-Za-z0-9])?(?:\[[A-Za-z0-9._,-]{1,100}\])?$/
/** A version, or conditions on one as in PEP 440: `2.1`, `>=2,<3`, `~=1.4.2`. */
const PIP_VERSION =
  /^(?:(?:[<>=!~]=?|===)?\s*[0-9][A-Za-z0-9.*+!_-]{0,60})(?:\s*,\s*(?:[<>=!~]=?|===)\s*[0-9][A-Za-z0-9.*+!_-]{0,60}){0,5}$/
const NPM_NAME = /^(?:@[a-z0-9~-][a-z0-9._~-]{0,100}\/)?[a-z0-9~-][a-z0-9._~-]{0,100}$/
/** A version, a range or a tag; no address, no path, no other package. */
const NPM_VERSION =
  /^[~^<>=v]{0,2}\s*[0-9A-Za-z*][0-9A-Za-z.*+_-]{0,60}(?:\s+(?:\|\|\s+)?[~^<>=]{0,2}[0-9A-Za-z.*+_-]{1,60}){0,5}$/
const MAX_REQUIREMENTS = 50

/**
 * Requirements as pip takes them, in one order. Nothing in them can be an option, an address or a path. Throws unprocessable for
 * what is no plain name with a version.
 */
export function toPipArguments(requirements: readonly PackageRequirement[]): string[] {
  return toArguments(requirements, 'pip_requirements', PIP_NAME, PIP_VERSION, ({ name, version }) => {
    if (version === null) return name
    return /^[<>=!~]/.test(version) ? `${name}${version.replaceAll(' ', '')}` : `${name}==${version}`
  })
}

/** The same for npm. */
export function toNpmArguments(requirements: readonly PackageRequirement[]): string[] {
  return toArguments(requirements, 'npm_requirements', NPM_NAME, NPM_VERSION, ({ name, version }) =>
    version === null ? name : `${name}@${version}`,
  )
}

function toArguments(
  requirements: readonly PackageRequirement[],
  field: string,
  namePattern: RegExp,
  versionPattern: RegExp,
  toArgument: (requirement: PackageRequirement) => string,
): string[] {
  if (requirements.length > MAX_REQUIREMENTS) throw unprocessable(`${field}: more than ${MAX_REQUIREMENTS} packages.`)
  const checked = requirements.map(({ name, version }) => {
    const [plainName, plainVersion] = [name.trim(), version?.trim() || null]
    if (!namePattern.test(plainName) || (plainVersion !== null && !versionPattern.test(plainVersion))) {
      const text = JSON.stringify(plainVersion === null ? plainName : `${plainName} ${plainVersion}`)
      throw unprocessable(
        `${field}: ${text.slice(0, 200)} is no name of a package with a version. Addresses, paths and options are not taken.`,
      )
    }
    return toArgument({ name: plainName, version: plainVersion })
  })
  return [...new Set(checked)].sort()
}

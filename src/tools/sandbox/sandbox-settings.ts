import { unprocessable } from '#platform/errors.ts'
import type { SandboxType } from '#store/sandbox-configs/sandbox-config-row.ts'

interface Requirement {
  name: string
  version?: string | null
}

/** What people say of how code of tools is to be run; which fields count goes by the type. */
export interface SandboxSettings {
  sandbox_dir?: string | null
  use_venv?: boolean | null
  venv_name?: string | null
  timeout?: number | null
  template?: string | null
  language?: string | null
  pip_requirements?: (string | Requirement)[] | null
  npm_requirements?: (string | Requirement)[] | null
}

const FIELDS: Record<SandboxType, readonly (keyof SandboxSettings)[]> = {
  local: ['sandbox_dir', 'use_venv', 'venv_name', 'pip_requirements'],
  e2b: ['timeout', 'template', 'pip_requirements'],
  modal: ['timeout', 'pip_requirements', 'npm_requirements', 'language'],
}
/** Fields that only one type has, in the order in which V1 tries the types. */
const TELLING: [keyof SandboxSettings, SandboxType][] = [
  ['sandbox_dir', 'local'],
  ['use_venv', 'local'],
  ['venv_name', 'local'],
  ['template', 'e2b'],
  ['language', 'modal'],
  ['npm_requirements', 'modal'],
]

/** The type that settings are for: nothing in a request names it. Throws unprocessable where they are for two. */
export function sandboxTypeOf(settings: SandboxSettings): SandboxType {
  const told = new Set(TELLING.flatMap(([field, type]) => (settings[field] == null ? [] : [type])))
  if (told.size > 1) {
    throw unprocessable(`body.config: has fields of the types ${[...told].join(' and ')}. Send those of one type.`)
  }
  const [type] = told
  return type ?? (settings.timeout == null ? 'local' : 'e2b')
}

/** The settings of a type with its defaults. Throws unprocessable for a field that the type does not have. */
export function toSandboxConfig(type: SandboxType, settings: SandboxSettings): Record<string, unknown> {
  const fields = Object.entries(settings).filter(([, value]) => value != null)
  const foreign = fields.find(([field]) => !FIELDS[type].includes(field as keyof SandboxSettings))
  if (foreign !== undefined) {
    throw unprocessable(`body.config.${foreign[0]}: a sandbox of the type ${type} has ${FIELDS[type].join(', ')}.`)
  }
  const { pip_requirements: pip, npm_requirements: npm } = settings
  if (type === 'local') {
    return {
      sandbox_dir: settings.sandbox_dir ?? null,
      use_venv: settings.use_venv ?? false,
      venv_name: settings.venv_name ?? 'venv',
      pip_requirements: (pip ?? []).map(toRequirement),
    }
  }
  if (type === 'e2b') {
    return {
      timeout: settings.timeout ?? 300,
      template: settings.template ?? null,
      pip_requirements: pip?.map(toText) ?? null,
    }
  }
  return {
    timeout: settings.timeout ?? 60,
    pip_requirements: pip?.map(toText) ?? null,
    npm_requirements: npm?.map(toText) ?? null,
    language: settings.language ?? 'python',
  }
}

const toRequirement = (given: string | Requirement) =>
  typeof given === 'string' ? { name: given, version: null } : { name: given.name, version: given.version ?? null }

const toText = (given: string | Requirement): string => {
  if (typeof given === 'string') return given
  return given.version == null ? given.name : `${given.name}==${given.version}`
}

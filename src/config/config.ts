import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { resolve } from 'node:path'
import { checkConfig } from './check-config.ts'
import { ConfigError } from './config-error.ts'
import { ENV_ONLY_ON_KUBERNETES, refuseUnknownNames } from './known-names.ts'
import { OPTIONS, type Option } from './options.ts'
import { type OpenAiCompatibleEndpoint, parseValue } from './parse-value.ts'

type Row = (typeof OPTIONS)[number]
type FlatRow = Exclude<Row, { provider: unknown }>
type ValueOf<R extends Row> = R extends { type: 'integer' | 'duration' | 'size' }
  ? number
  : R extends { type: 'origins' }
    ? readonly string[]
    : R extends { type: 'endpoints' }
      ? readonly OpenAiCompatible[]
      : R extends { type: 'choice'; choices: readonly (infer Choice)[] }
        ? Choice
        : string
type HasValue = { default: unknown } | { type: 'origins' | 'endpoints' }
type Settings = {
  readonly [R in FlatRow as R['key']]: R extends HasValue ? ValueOf<R> : ValueOf<R> | undefined
}

/** A server with the API of OpenAI, from `PERDURE_OPENAI_COMPATIBLE`. */
export interface OpenAiCompatible {
  readonly name: string
  readonly baseUrl: string
  readonly apiKey: string | undefined
}

/** A model provider for which a key or an address is set. */
export interface ProviderSettings {
  /** First part of its handles: `openai`, `anthropic`, `google_ai`, `ollama`… */
  readonly name: string
  readonly apiKey: string | undefined
  readonly baseUrl: string | undefined
}

/** Every setting with its value: frozen, checked, with durations in milliseconds and sizes in bytes. */
export interface Config extends Settings {
  readonly providers: readonly ProviderSettings[]
  /** Where each value that is not the default came from, by the option's name: a variable, a file or a flag. */
  readonly sources: Readonly<Record<string, string>>
  /** Lines for the log: settings that have no effect, and why. */
  readonly warnings: readonly string[]
}

export type Env = Readonly<Record<string, string | undefined>>

export interface ConfigInput {
  /** Defaults to the variables of this process. */
  env?: Env
  /** Flags by the option's name (`PERDURE_PORT`); they win over variables. */
  flags?: Readonly<Record<string, string>>
  /** Reads the files that `*_FILE` variables name. */
  readFile?: (path: string) => string
}

/** Reads all settings. Throws ConfigError with one line that says what to fix. */
export function loadConfig(input: ConfigInput = {}): Config {
  const source: Required<ConfigInput> = {
    env: input.env ?? process.env,
    flags: input.flags ?? {},
    readFile: input.readFile ?? ((path) => readFileSync(path, 'utf8')),
  }
  const warnings = refuseUnknownNames(source.env)
  const values: Record<string, unknown> = {}
  const sources: Record<string, string> = {}
  const providers = new Map<string, ProviderSettings>()

  for (const option of OPTIONS as readonly Option[]) {
    const given = findText(option, source)
    const value = given === undefined ? defaultOf(option, source.env) : parseGiven(option, given, source)
    if (given !== undefined) {
      sources[option.name] = given.from
      warnings.push(...given.warnings)
      if (option.unused !== undefined) warnings.push(`${given.from} has no effect: ${option.unused}.`)
    }
    if (option.provider === undefined) values[option.key] = value
    else if (value !== undefined) addProvider(providers, option.provider, value as string)
  }

  const config = { ...values, providers: [...providers.values()], sources, warnings } as unknown as Config
  checkConfig(config)
  return deepFreeze(config)
}

interface Given {
  text: string
  from: string
  warnings: string[]
}

/** The text of an option: the flag, else the variable or its file, else the first alias that is set. Empty is not set. */
function findText(option: Option, { env, flags, readFile }: Required<ConfigInput>): Given | undefined {
  const flag = flags[option.name]
  if (flag !== undefined) return { text: flag.trim(), from: option.flag ?? option.name, warnings: [] }
  const found: Given[] = []
  for (const name of [option.name, ...(option.aliases ?? [])]) {
    const text = env[name]?.trim() ?? ''
    const file = option.secret ? (env[`${name}_FILE`]?.trim() ?? '') : ''
    if (text !== '' && file !== '') throw new ConfigError(`${name} and ${name}_FILE are both set; remove one of them.`)
    if (text !== '' && !ENV_ONLY_ON_KUBERNETES.value.test(text)) found.push({ text, from: name, warnings: [] })
    if (file !== '')
      found.push({ text: readSecret(`${name}_FILE`, file, readFile), from: `${name}_FILE`, warnings: [] })
  }
  const [first, ...others] = found
  for (const other of others) {
    if (other.text !== first?.text) first?.warnings.push(`${other.from} is ignored, because ${first.from} is set.`)
  }
  return first
}

function readSecret(name: string, path: string, readFile: (path: string) => string): string {
  let text: string
  try {
    text = readFile(path).trim()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : ''
    throw new ConfigError(`${name} names the file ${path}, which cannot be read${code}.`)
  }
  if (text === '') throw new ConfigError(`${name} names the file ${path}, which is empty.`)
  return text
}

function parseGiven(option: Option, given: Given, { env, readFile }: Required<ConfigInput>): unknown {
  const value = parseValue(option, given.text, given.from)
  if (option.type === 'path') return expandPath(value as string, env)
  if (option.type !== 'endpoints') return value
  return (value as readonly OpenAiCompatibleEndpoint[]).map(({ name, baseUrl, keyVariable }): OpenAiCompatible => {
    if (keyVariable === undefined) return { name, baseUrl, apiKey: undefined }
    const key = findText(
      { key: '', name: keyVariable, type: 'string', secret: true, group: 'Providers', doc: '' },
      { env, flags: {}, readFile },
    )
    if (key === undefined)
      throw new ConfigError(`${given.from} wants the key of "${name}" in ${keyVariable}, which is not set.`)
    return { name, baseUrl, apiKey: key.text }
  })
}

function defaultOf(option: Option, env: Env): unknown {
  if (option.type === 'origins' || option.type === 'endpoints') return []
  if (option.type === 'path' && option.default !== undefined) return expandPath(option.default, env)
  return option.default
}

function expandPath(path: string, env: Env): string {
  return resolve(path.replace(/^~(?=$|\/)/, env.HOME || homedir()))
}

function addProvider(
  providers: Map<string, ProviderSettings>,
  { name, field }: { name: string; field: 'apiKey' | 'baseUrl' },
  value: string,
): void {
  providers.set(name, { name, apiKey: undefined, baseUrl: undefined, ...providers.get(name), [field]: value })
}

function deepFreeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) if (typeof part === 'object' && part !== null) deepFreeze(part)
  return Object.freeze(value)
}

/** The keys that sign callbacks; more than one while they are changed. */
export const webhookSecretsOf = (config: Pick<Config, 'webhookSecret'>): string[] =>
  config.webhookSecret?.split(/\s+/).filter((secret) => secret !== '') ?? []

/** Where Redis is, if anywhere: by its URL, or by host and port as V1 had them. */
export function redisUrlOf({ redisUrl, redisHost, redisPort }: Config): string | undefined {
  if (redisUrl !== undefined || redisHost === undefined) return redisUrl
  const host = redisHost.includes(':') ? `[${redisHost}]` : redisHost
  return `redis://${host}:${redisPort ?? 6379}`
}

/** What agents may have at most, by the names that the database has for it. */
export const memoryLimitsOf = (config: Config) => ({
  archive_passages: config.maxArchivePassages,
  archive_bytes: config.maxArchiveBytes,
  agent_blocks: config.maxAgentBlocks,
  agent_folders: config.maxAgentFolders,
  folder_files: config.maxFolderFiles,
})

/** Where the bytes of uploads wait until they are read. */
export function storageSettingsOf(config: Config) {
  const { fileStorage, fileStorageFolder, s3Bucket, s3Endpoint, s3AccessKeyId, s3SecretAccessKey } = config
  const credentials =
    s3AccessKeyId === undefined || s3SecretAccessKey === undefined
      ? undefined
      : { accessKeyId: s3AccessKeyId, secretAccessKey: s3SecretAccessKey }
  const s3 =
    s3Bucket === undefined
      ? undefined
      : {
          bucket: s3Bucket,
          region: config.s3Region,
          endpoint: s3Endpoint,
          isPathStyle: config.s3PathStyle === 'auto' ? s3Endpoint !== undefined : config.s3PathStyle === 'on',
          prefix: config.s3Prefix === '' ? '' : `${config.s3Prefix.replace(/^\/+|\/+$/g, '')}/`,
          credentials,
        }
  return { current: fileStorage as 'database' | 'folder' | 's3', folder: fileStorageFolder, s3 }
}

/** Every secret of a configuration, for the logger to leave out. */
export function secretsOf(config: Config): string[] {
  const secrets = [config.apiKey, config.jwtSecret, config.encryptionKey, config.sentryDsn]
  secrets.push(config.s3AccessKeyId, config.s3SecretAccessKey)
  secrets.push(config.exaApiKey, config.tavilyApiKey, config.braveSearchApiKey)
  secrets.push(...webhookSecretsOf(config))
  for (const url of [config.databaseUrl, config.redisUrl]) secrets.push(URL.parse(url ?? '')?.password)
  for (const provider of config.providers) secrets.push(provider.apiKey)
  for (const endpoint of config.openaiCompatible) secrets.push(endpoint.apiKey)
  return secrets.filter((secret): secret is string => Boolean(secret))
}

import type { Config } from './config.ts'
import { ConfigError } from './config-error.ts'
import { OPTIONS, type Option } from './options.ts'

/** What no single setting can tell. Throws ConfigError. */
export function checkConfig(config: Config): void {
  const nameOf = (name: string) => config.sources[name] ?? name

  if (config.apiKey === undefined && !isLoopback(config.host)) {
    throw new ConfigError(
      `${nameOf('PERDURE_HOST')} is ${config.host}, which other machines can reach: set PERDURE_API_KEY to a secret of your choice, or listen on 127.0.0.1.`,
    )
  }
  if (config.apiKey !== undefined && !/^[\x21-\x7e]+$/.test(config.apiKey)) {
    throw new ConfigError(
      `${nameOf('PERDURE_API_KEY')} has a space or a character outside ASCII, which no Authorization header can carry.`,
    )
  }
  for (const name of ['PERDURE_DEFAULT_MODEL', 'PERDURE_DEFAULT_EMBEDDING'] as const) {
    const handle = name === 'PERDURE_DEFAULT_MODEL' ? config.defaultModel : config.defaultEmbedding
    if (handle !== undefined && !/^[^/\s]+\/\S+$/.test(handle)) {
      throw new ConfigError(`${nameOf(name)} must be provider/model, such as openai/gpt-5-mini; got "${handle}".`)
    }
  }
  checkEndpoints(config)
}

function checkEndpoints(config: Config): void {
  const taken = new Set(['perdure', 'letta'])
  for (const option of OPTIONS as readonly Option[]) if (option.provider !== undefined) taken.add(option.provider.name)
  for (const { name } of config.openaiCompatible) {
    if (taken.has(name)) {
      throw new ConfigError(
        `PERDURE_OPENAI_COMPATIBLE uses the name "${name}", which is taken by a provider or an earlier entry; choose another.`,
      )
    }
    taken.add(name)
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}

import type { Command } from 'commander'
import { type Config, loadConfig } from '#config/config.ts'
import { formatValue } from '#config/describe-option.ts'
import { OPTIONS, type Option } from '#config/options.ts'
import { addOptionFlags, readOptionFlags } from './option-flags.ts'

/** `perdure config`: what is in force and where it came from. */
export function registerConfig(program: Command): void {
  const command = program.command('config').description('print the settings in force and where they come from')
  addOptionFlags(command).action(() => {
    const config = loadConfig({ flags: readOptionFlags(command) })
    process.stdout.write(`${configLines(config).join('\n')}\n`)
  })
}

/** One line per setting that has a value, secrets masked, then the warnings. */
export function configLines(config: Config): string[] {
  const lines: string[] = []
  for (const option of OPTIONS as readonly Option[]) {
    const value = formatValue(option, settingOf(config, option))
    if (value === undefined || value === '') continue
    const from = config.sources[option.name]
    const origin = from === undefined ? 'default' : from === option.name ? 'environment' : from
    lines.push(`${option.name.padEnd(34)} ${value.padEnd(28)} ${origin}`)
  }
  return [...lines, ...config.warnings.map((warning) => `! ${warning}`)]
}

function settingOf(config: Config, option: Option): unknown {
  const { provider } = option
  if (provider === undefined) return config[option.key as keyof Config]
  return config.providers.find(({ name }) => name === provider.name)?.[provider.field]
}

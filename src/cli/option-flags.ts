import { type Command, Option as Flag } from 'commander'
import { formatDefault, placeholderOf } from '#config/describe-option.ts'
import { OPTIONS, type Option, type OptionGroup } from '#config/options.ts'

const options: readonly Option[] = OPTIONS

/**
 * Gives a command a flag for each setting that has one, and lists the variables that have none below its help; with
 * `groups`, only the flags of those.
 */
export function addOptionFlags(command: Command, groups?: readonly OptionGroup[]): Command {
  for (const option of options) {
    if (option.flag === undefined || groups?.includes(option.group) === false) continue
    const fallback = formatDefault(option)
    const notes = [option.name, ...(fallback === undefined ? [] : [`default ${fallback}`])]
    const flag = new Flag(`${option.flag} <${placeholderOf(option)}>`, `${plain(option.doc)} [${notes.join(', ')}]`)
    command.addOption(flag.helpGroup(`${option.group}:`))
  }
  return groups === undefined ? command.addHelpText('after', variablesHelp()) : command
}

/** The flags that were given, by the name of their setting, for `loadConfig`. */
export function readOptionFlags(command: Command): Record<string, string> {
  const given: Record<string, string> = {}
  for (const flag of command.options) {
    const option = options.find(({ flag: name }) => name === flag.long)
    const value: unknown = command.getOptionValue(flag.attributeName())
    if (option !== undefined && typeof value === 'string') given[option.name] = value
  }
  return given
}

function variablesHelp(): string {
  const rows = options
    .filter((option) => option.flag === undefined && option.unused === undefined && option.group !== 'Client')
    .map((option) => `  ${option.name.padEnd(22)} ${plain(option.doc)}`)
  return ['', 'Environment variables without a flag (secrets also as NAME_FILE, the path of a file):', ...rows].join(
    '\n',
  )
}

const plain = (markdown: string): string => markdown.replaceAll('`', '')

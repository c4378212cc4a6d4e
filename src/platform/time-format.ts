/** Parts of an instant in a time zone, zero-padded, with the offset as `+0200`. */
function zonedParts(date: Date, timezone: string) {
  const format = formatterOf(timezone)
  const parts: Record<string, string> = {}
  for (const { type, value } of format.formatToParts(date)) parts[type] = value
  const offset = (parts.timeZoneName ?? 'GMT').replace('GMT', '').replace(':', '')
  return { ...parts, offset: offset === '' ? '+0000' : offset } as Record<string, string>
}

const formatters = new Map<string, Intl.DateTimeFormat>()

function formatterOf(timezone: string): Intl.DateTimeFormat {
  let format = formatters.get(timezone)
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: timezone,
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      hourCycle: 'h23',
      timeZoneName: 'longOffset',
    })
    formatters.set(timezone, format)
  }
  return format
}

/** True for a name of the IANA time zone database that this runtime knows. */
export function isTimezone(name: string): boolean {
  try {
    formatterOf(name)
    return true
  } catch {
    return false
  }
}

/** `2024-01-15T09:00:00+02:00` */
export function formatIsoTime(date: Date, timezone: string): string {
  const p = zonedParts(date, timezone)
  const offset = p.offset ?? '+0000'
  return `${p.year}-${p.month}-${p.day}T${p.hour}:${p.minute}:${p.second}${offset.slice(0, 3)}:${offset.slice(3)}`
}

/** `2024-01-15 09:00:00 AM UTC+0000`: Python's `%Y-%m-%d %I:%M:%S %p %Z%z`, as prompts and tool results carry it. */
export function formatPromptTime(date: Date, timezone: string): string {
  const p = zonedParts(date, timezone)
  const hour = Number(p.hour)
  const twelve = String(hour % 12 === 0 ? 12 : hour % 12).padStart(2, '0')
  const zone = timezone === 'UTC' ? 'UTC' : shortZoneName(date, timezone)
  return `${p.year}-${p.month}-${p.day} ${twelve}:${p.minute}:${p.second} ${hour < 12 ? 'AM' : 'PM'} ${zone}${p.offset}`
}

function shortZoneName(date: Date, timezone: string): string {
  const parts = new Intl.DateTimeFormat('en-US', { timeZone: timezone, timeZoneName: 'short' }).formatToParts(date)
  return parts.find((part) => part.type === 'timeZoneName')?.value ?? timezone
}

const UNITS: [name: string, ms: number][] = [
  ['y', 365 * 86_400_000],
  ['mo', 30 * 86_400_000],
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
]

/** `5m ago`, for a distance in milliseconds. */
export function formatTimeAgo(distanceMs: number): string {
  for (const [name, ms] of UNITS) {
    if (distanceMs >= ms) return `${Math.floor(distanceMs / ms)}${name} ago`
  }
  return 'just now'
}

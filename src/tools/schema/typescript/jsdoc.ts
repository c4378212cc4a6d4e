export interface JsDoc {
  /** Everything before the first tag. */
  summary: string
  /** What is said of each parameter, by its name. */
  params: Map<string, string>
}

const PARAM = /^@(?:param|arg|argument)\s+(?:\{[^}]*\}\s+)?(?:\[\s*)?([\w$]+)[^\s]*\s*(?:-\s*)?(.*)$/s

/** Reads `text`, then `@param name - what it is`, each over as many lines as it takes. */
export function readJsDoc(text: string): JsDoc {
  const params = new Map<string, string>()
  const summary: string[] = []
  let target: string | 'summary' | undefined = 'summary'
  for (const line of text.split('\n').map((row) => row.trim())) {
    if (line.startsWith('@')) {
      const [, name, description = ''] = PARAM.exec(line) ?? []
      target = name === undefined ? undefined : `@${name}`
      if (name !== undefined) params.set(name, description)
    } else if (target === 'summary') summary.push(line)
    else if (target !== undefined && line !== '') {
      const name = target.slice(1)
      params.set(name, `${params.get(name) ?? ''} ${line}`.trim())
    }
  }
  return { summary: summary.join('\n').trim(), params }
}

/** Bytes in which an HTML page must say its encoding (the standard's 1 024, with room for long heads). */
const META_BYTES = 4_096

/**
 * The encoding that a page names: `<meta charset=…>`, `<meta … content="text/html; charset=…">`, `<?xml … encoding="…"?>`. Undefined where it names none
 * that `TextDecoder` knows.
 */
export function charsetOfHtml(bytes: Uint8Array): string | undefined {
  const head = new TextDecoder('latin1').decode(bytes.subarray(0, META_BYTES))
  const found =
    /<meta\s[^>]{0,1000}?charset\s*=\s*["']?\s*([\w.:-]+)/i.exec(head) ??
    /^<\?xml\s[^>]{0,200}?encoding\s*=\s*["']([\w.:-]+)/i.exec(head)
  const name = found?.[1]?.toLowerCase()
  // a page that could be read up to here is in no encoding of two bytes
  return decoderOf(name?.startsWith('utf-16') ? 'utf-8' : name)?.encoding
}

/** Undefined for a name that is none. */
export function decoderOf(label: string | undefined): InstanceType<typeof TextDecoder> | undefined {
  if (label === undefined) return undefined
  try {
    return new TextDecoder(label)
  } catch {
    return undefined
  }
}

import { randomUUID } from 'node:crypto'

/** A form of an import, as a request in process takes it: the file, and text fields in the order given. */
export function importForm(
  file: string | Buffer | object | undefined,
  fields: Record<string, string> = {},
): { body: Buffer; headers: Record<string, string> } {
  const boundary = randomUUID()
  const lines: (string | Buffer)[] = []
  for (const [name, value] of Object.entries(fields)) {
    lines.push(`--${boundary}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`)
  }
  if (file !== undefined) {
    const content = typeof file === 'string' || Buffer.isBuffer(file) ? file : JSON.stringify(file)
    lines.push(
      `--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="agent.af"\r\ncontent-type: application/json\r\n\r\n`,
      content,
      '\r\n',
    )
  }
  lines.push(`--${boundary}--\r\n`)
  return {
    body: Buffer.concat(lines.map((line) => Buffer.from(line))),
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
  }
}

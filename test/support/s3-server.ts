import { createHash, createHmac, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

export type S3Operation = 'put' | 'create' | 'part' | 'complete' | 'abort' | 'get' | 'delete' | 'list-uploads'

/** `fail`: 503 · `unknown`: 501 · `cut`: the connection breaks, of a get in the middle of the object · `hang`: no answer · a number: so many milliseconds later. */
export type S3Fault = 'fail' | 'unknown' | 'cut' | 'hang' | number

/** Enough of S3 for uploads, with its rules: signatures of version 4 are checked against the request, parts have 5 MiB or are the last. */
export interface S3Server extends AsyncDisposable {
  readonly url: string
  readonly bucket: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Names of the objects that there are. */
  keys(): string[]
  /** Of uploads in parts that are neither complete nor aborted. */
  openUploads(): string[]
  requests: S3Operation[]
  fault: (operation: S3Operation, request: { key: string; partNumber: number }) => S3Fault | undefined
}

const REGION = 'eu-test-1'
const MIN_PART_BYTES = 5 * 1024 * 1024
const MAX_SKEW_MS = 15 * 60_000

interface State {
  objects: Map<string, Buffer>
  uploads: Map<string, { key: string; parts: Map<number, Buffer> }>
}

export const S3_REGION = REGION

export async function startS3Server(): Promise<S3Server> {
  const state: State = { objects: new Map(), uploads: new Map() }
  const keys = { id: `AK${randomUUID().slice(0, 8)}`, secret: randomUUID() }
  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy())
  })
  const self: Omit<S3Server, 'url' | typeof Symbol.asyncDispose> = {
    bucket: 'uploads',
    accessKeyId: keys.id,
    secretAccessKey: keys.secret,
    keys: () => [...state.objects.keys()],
    openUploads: () => [...state.uploads.values()].map(({ key }) => key),
    requests: [],
    fault: () => undefined,
  }

  async function serve(request: IncomingMessage, response: ServerResponse) {
    const url = new URL(request.url ?? '/', 'http://s3')
    const body = await buffer(request)
    const refusal = signatureProblem(request, url, body, keys)
    if (refusal !== undefined) return sendError(response, 403, 'SignatureDoesNotMatch', refusal)
    const [, bucket, ...rest] = decodeURIComponent(url.pathname).split('/')
    const key = rest.join('/')
    if (bucket !== self.bucket) return sendError(response, 404, 'NoSuchBucket', 'The bucket does not exist')
    const operation = operationOf(request.method ?? '', url.searchParams)
    if (operation === undefined) return sendError(response, 501, 'NotImplemented', 'no such operation here')
    self.requests.push(operation)
    const fault = self.fault(operation, { key, partNumber: Number(url.searchParams.get('partNumber') ?? 0) })
    if (fault === 'hang') return
    if (fault === 'unknown') return sendError(response, 501, 'NotImplemented', 'not implemented')
    if (fault === 'fail') return sendError(response, 503, 'SlowDown', 'Please reduce your request rate')
    if (fault === 'cut' && operation !== 'get') {
      response.destroy()
      return
    }
    if (typeof fault === 'number') await new Promise((resolve) => setTimeout(resolve, fault))
    perform(operation, { key, url, body, state, response, isCut: fault === 'cut' })
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return Object.assign(self, {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  })
}

function operationOf(method: string, query: URLSearchParams): S3Operation | undefined {
  if (method === 'GET') return query.has('uploads') ? 'list-uploads' : 'get'
  if (method === 'PUT') return query.has('uploadId') ? 'part' : 'put'
  if (method === 'POST') return query.has('uploads') ? 'create' : 'complete'
  if (method === 'DELETE') return query.has('uploadId') ? 'abort' : 'delete'
  return undefined
}

interface Work {
  key: string
  url: URL
  body: Buffer
  state: State
  response: ServerResponse
  isCut: boolean
}

function perform(operation: S3Operation, { key, url, body, state, response, isCut }: Work) {
  const { objects, uploads } = state
  const uploadId = url.searchParams.get('uploadId') ?? ''
  const upload = uploads.get(uploadId)
  if (['part', 'complete', 'abort'].includes(operation) && upload?.key !== key) {
    return sendError(response, 404, 'NoSuchUpload', 'The specified multipart upload does not exist')
  }
  switch (operation) {
    case 'put':
      objects.set(key, body)
      response.writeHead(200, { etag: etagOf(body) }).end()
      return
    case 'create': {
      const id = randomUUID()
      uploads.set(id, { key, parts: new Map() })
      return sendXml(
        response,
        `<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`,
      )
    }
    case 'part':
      upload?.parts.set(Number(url.searchParams.get('partNumber')), body)
      response.writeHead(200, { etag: etagOf(body) }).end()
      return
    case 'complete':
      return complete({ key, uploadId, body, state, response })
    case 'abort':
      uploads.delete(uploadId)
      response.writeHead(204).end()
      return
    case 'get': {
      const object = objects.get(key)
      if (object === undefined) return sendError(response, 404, 'NoSuchKey', 'The specified key does not exist.')
      response.writeHead(200, { 'content-length': object.length })
      if (isCut) response.write(object.subarray(0, object.length / 2), () => response.destroy())
      else response.end(object)
      return
    }
    case 'delete':
      objects.delete(key)
      response.writeHead(204).end()
      return
    case 'list-uploads': {
      const prefix = url.searchParams.get('prefix') ?? ''
      const found = [...uploads].filter(([, each]) => each.key.startsWith(prefix))
      const items = found.map(([id, each]) => `<Upload><Key>${each.key}</Key><UploadId>${id}</UploadId></Upload>`)
      return sendXml(response, `<ListMultipartUploadsResult>${items.join('')}</ListMultipartUploadsResult>`)
    }
  }
}

function complete({ key, uploadId, body, state, response }: Omit<Work, 'url' | 'isCut'> & { uploadId: string }) {
  const parts = state.uploads.get(uploadId)?.parts ?? new Map<number, Buffer>()
  const named = [...body.toString().matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, part = '']) => ({
    number: Number(/<PartNumber>(\d+)</.exec(part)?.[1]),
    etag: /<ETag>(.*?)</.exec(part)?.[1]?.replaceAll('&quot;', '"'),
  }))
  const bytes = named.map(({ number }) => parts.get(number))
  const isWrong = named.some(({ number, etag }) => etag !== etagOf(parts.get(number) ?? Buffer.alloc(0)))
  const isSmall = bytes.slice(0, -1).some((part) => (part?.length ?? 0) < MIN_PART_BYTES)
  if (named.length !== parts.size || isWrong) return sendError(response, 400, 'InvalidPart', 'a part is wrong')
  if (isSmall) return sendError(response, 400, 'EntityTooSmall', 'Your proposed upload is smaller than allowed')
  state.objects.set(key, Buffer.concat(bytes as Buffer[]))
  state.uploads.delete(uploadId)
  sendXml(response, `<CompleteMultipartUploadResult><Key>${key}</Key></CompleteMultipartUploadResult>`)
}

const etagOf = (bytes: Uint8Array): string => `"${createHash('md5').update(bytes).digest('hex')}"`

function sendXml(response: ServerResponse, xml: string): void {
  response.writeHead(200, { 'content-type': 'application/xml' }).end(`<?xml version="1.0"?>${xml}`)
}

function sendError(response: ServerResponse, status: number, code: string, message: string): void {
  const xml = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`
  response.writeHead(status, { 'content-type': 'application/xml' }).end(xml)
}

const hash = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex')
const hmac = (key: string | Buffer, data: string): Buffer => createHmac('sha256', key).update(data).digest()

/** AWS Signature Version 4, as its documentation describes it for S3; nothing of the SDK's own is used. */
function signatureProblem(
  request: IncomingMessage,
  url: URL,
  body: Buffer,
  keys: { id: string; secret: string },
): string | undefined {
  const { headers } = request
  const [, scope = '', names = '', signature] =
    /^AWS4-HMAC-SHA256 Credential=(\S+), ?SignedHeaders=(\S+), ?Signature=([0-9a-f]{64})$/.exec(
      headers.authorization ?? '',
    ) ?? []
  const [id, day = '', region, service, end] = scope.split('/')
  if (signature === undefined) return 'no signature of version 4'
  if (id !== keys.id) return 'an unknown key'
  if (region !== REGION || service !== 's3' || end !== 'aws4_request') return `the scope is ${scope}`
  const time = String(headers['x-amz-date'])
  const at = Date.parse(time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))
  if (!time.startsWith(day) || Math.abs(Date.now() - at) > MAX_SKEW_MS) return `the time is ${time}`
  const payload = String(headers['x-amz-content-sha256'])
  if (payload !== hash(body)) return `the body is not what was signed (${payload})`
  if (!names.split(';').includes('host')) return 'the host is not signed'
  const encode = (text: string) =>
    encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
  const query = [...url.searchParams].map(([name, value]) => `${encode(name)}=${encode(value)}`).sort()
  const signed = names.split(';').map((name) => `${name}:${String(headers[name]).trim().replace(/ +/g, ' ')}\n`)
  const canonical = [request.method, url.pathname, query.join('&'), signed.join(''), names, payload].join('\n')
  const scopeOfDay = `${day}/${region}/${service}/${end}`
  const toSign = ['AWS4-HMAC-SHA256', time, scopeOfDay, hash(canonical)].join('\n')
  const key = [day, region, service, end].reduce<string | Buffer>(
    (made, part) => hmac(made, part),
    `AWS4${keys.secret}`,
  )
  return hmac(key, toSign).toString('hex') === signature ? undefined : 'the signature is wrong'
}

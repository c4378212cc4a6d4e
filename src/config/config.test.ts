import { expect, test } from 'vitest'
import { type ConfigInput, loadConfig, redisUrlOf, secretsOf, storageSettingsOf } from './config.ts'
import { ConfigError } from './config-error.ts'

const load = (env: ConfigInput['env'], rest: Omit<ConfigInput, 'env'> = {}) =>
  loadConfig({ env: { HOME: '/home/nils', ...env }, ...rest })

/** The one line with which a start is refused. */
function refusal(env: ConfigInput['env'], rest: Omit<ConfigInput, 'env'> = {}): string {
  try {
    load(env, rest)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    expect(error.message).not.toContain('\n')
    return error.message
  }
  throw new Error('the configuration was accepted')
}

test('nothing set: this machine, the embedded database, no provider', () => {
  const config = load({})
  expect(config).toMatchObject({
    host: '127.0.0.1',
    port: 8283,
    apiKey: undefined,
    dataDir: '/home/nils/.perdure',
    databaseUrl: undefined,
    databasePoolSize: 20,
    keepaliveIntervalMs: 20_000,
    modelFirstByteTimeoutMs: 30_000,
    maxBodyBytes: 20 * 1024 * 1024,
    globalMaxContextWindow: 128_000,
    logLevel: 'info',
    providers: [],
    warnings: [],
    sources: {},
  })
  expect(Object.isFrozen(config) && Object.isFrozen(config.providers)).toBe(true)
})

test('a flag wins over a variable, a variable over its aliases; an empty one is not set', () => {
  expect(load({ PERDURE_PORT: '1', PORT: '2' }, { flags: { PERDURE_PORT: '3' } }).port).toBe(3)
  expect(load({ PERDURE_PORT: '1', PORT: '2' }).port).toBe(1)
  expect(load({ PERDURE_PORT: ' ', PORT: '2' }).port).toBe(2)
  expect(load({ PERDURE_PORT: '1', PORT: '2' }).warnings).toEqual(['PORT is ignored, because PERDURE_PORT is set.'])
})

test('the names of V1 still work', () => {
  const config = load({
    LETTA_PG_URI: 'postgresql+pg8000://letta:letta@db:5432/letta',
    LETTA_SERVER_PASSWORD: 'open-sesame',
    LETTA_DEFAULT_LLM_HANDLE: 'openai/gpt-5-mini',
    LETTA_DEFAULT_EMBEDDING_HANDLE: 'openai/text-embedding-3-small',
    GLOBAL_MAX_CONTEXT_WINDOW_LIMIT: '64000',
    ACCEPTABLE_ORIGINS: 'https://a.example, http://localhost:3000',
    LOG_LEVEL: 'WARNING',
  })
  expect(config).toMatchObject({
    databaseUrl: 'postgresql://letta:letta@db:5432/letta',
    apiKey: 'open-sesame',
    defaultModel: 'openai/gpt-5-mini',
    defaultEmbedding: 'openai/text-embedding-3-small',
    globalMaxContextWindow: 64_000,
    corsOrigins: ['https://a.example', 'http://localhost:3000'],
    logLevel: 'warn',
  })
})

test('what has no effect yet is said, and so is what V1 had and we have not', () => {
  const { warnings } = load({
    LETTA_JWT_SECRET: 'k',
    LETTA_USE_TPUF: '1',
    LETTA_BASE_URL: 'x',
  })
  expect(warnings).toEqual([
    expect.stringMatching(/^LETTA_USE_TPUF: no effect/),
    expect.stringMatching(/^LETTA_JWT_SECRET has no effect: this version knows no signed tokens/),
  ])
})

test('Redis is found by its address, or by host and port as V1 had them', () => {
  expect(redisUrlOf(load({}))).toBeUndefined()
  expect(redisUrlOf(load({ LETTA_REDIS_HOST: 'r' }))).toBe('redis://r:6379')
  expect(redisUrlOf(load({ LETTA_REDIS_HOST: '::1', LETTA_REDIS_PORT: '7000' }))).toBe('redis://[::1]:7000')
  expect(redisUrlOf(load({ LETTA_REDIS_URL: 'rediss://u:p@h/2', LETTA_REDIS_HOST: 'r' }))).toBe('rediss://u:p@h/2')
})

test('secrets can be read from mounted files', () => {
  const files: Record<string, string> = { '/run/key': 'from-a-file\n', '/run/empty': '\n' }
  const readFile = (path: string) => {
    const text = files[path]
    if (text === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
    return text
  }
  expect(load({ PERDURE_API_KEY_FILE: '/run/key' }, { readFile }).apiKey).toBe('from-a-file')
  expect(load({ OPENAI_API_KEY_FILE: '/run/key' }, { readFile }).providers[0]?.apiKey).toBe('from-a-file')
  expect(refusal({ PERDURE_API_KEY_FILE: '/run/none' }, { readFile })).toBe(
    'PERDURE_API_KEY_FILE names the file /run/none, which cannot be read (ENOENT).',
  )
  expect(refusal({ PERDURE_API_KEY_FILE: '/run/empty' }, { readFile })).toContain('is empty')
  expect(refusal({ PERDURE_API_KEY: 'a', PERDURE_API_KEY_FILE: '/run/key' }, { readFile })).toContain('both set')
  expect(refusal({ PERDURE_PORT_FILE: '/run/key' }, { readFile })).toContain('only secrets can be read from files')
})

test('providers are those with a key or an address', () => {
  const config = load({
    OPENAI_API_KEY: 'sk-1',
    OPENAI_API_BASE: 'http://gateway:4000/v1/',
    OLLAMA_BASE_URL: 'http://localhost:11434',
    PERDURE_OPENAI_COMPATIBLE: 'lab=http://10.0.0.5:8000/v1 corp=https://llm.example.org/v1,CORP_KEY',
    CORP_KEY: 'secret-of-corp',
  })
  expect(config.providers).toEqual([
    { name: 'openai', apiKey: 'sk-1', baseUrl: 'http://gateway:4000/v1' },
    { name: 'ollama', apiKey: undefined, baseUrl: 'http://localhost:11434' },
  ])
  expect(config.openaiCompatible).toEqual([
    { name: 'lab', baseUrl: 'http://10.0.0.5:8000/v1', apiKey: undefined },
    { name: 'corp', baseUrl: 'https://llm.example.org/v1', apiKey: 'secret-of-corp' },
  ])
  expect(secretsOf(config)).toEqual(['sk-1', 'secret-of-corp'])
})

test.each<[Record<string, string>, RegExp]>([
  [{ PERDURE_PROT: '1' }, /^PERDURE_PROT is not a setting of Perdure\. Did you mean PERDURE_PORT\?$/],
  [{ PERDURE_FROBNICATE: '1' }, /is not a setting of Perdure\. Remove it/],
  [{ PERDURE_PORT: 'x' }, /^PERDURE_PORT must be a whole number between 0 and 65535; got "x"\.$/],
  [{ PORT: '99999' }, /^PORT must be a whole number between 0 and 65535/],
  [{ PERDURE_KEEPALIVE_INTERVAL: '5 fortnights' }, /must be a duration between 1s and 1h; got "5 fortnights"/],
  [{ PERDURE_MAX_BODY_SIZE: '1' }, /must be a size between 1KiB and 1024MiB; got "1"/],
  [{ LOG_LEVEL: 'loud' }, /must be one of trace, debug/],
  [{ PERDURE_CORS_ORIGINS: '*' }, /must be a list of origins such as https:\/\/app\.example\.org; got "\*"/],
  [{ OLLAMA_BASE_URL: 'localhost:11434' }, /must be a URL that starts with http:\/\//],
  [{ PERDURE_DEFAULT_MODEL: 'gpt-5' }, /must be provider\/model, such as openai\/gpt-5-mini; got "gpt-5"/],
  [{ PERDURE_DEFAULT_EMBEDDING: 'off' }, /got "off"\. PERDURE_EMBEDDINGS=off switches embeddings off\.$/],
  [{ PERDURE_OPENAI_COMPATIBLE: 'http://x/v1' }, /must be name=url or name=url,VARIABLE/],
  [{ PERDURE_OPENAI_COMPATIBLE: 'a=http://x/v1,NO_KEY' }, /wants the key of "a" in NO_KEY, which is not set/],
  [{ PERDURE_OPENAI_COMPATIBLE: 'openai=http://x/v1' }, /the name "openai", which is taken/],
  [{ PERDURE_HOST: '0.0.0.0' }, /^PERDURE_HOST is 0\.0\.0\.0, which other machines can reach: set PERDURE_API_KEY/],
  [{ PERDURE_API_KEY: 'with space' }, /^PERDURE_API_KEY has a space/],
])('%o is refused', (env, message) => {
  expect(refusal(env)).toMatch(message)
})

test('a secret is never repeated in an error', () => {
  for (const env of [{ PERDURE_DATABASE_URL: 'mysql://u:hunter2@h/d' }, { PERDURE_API_KEY: 'hunter2 hunter2' }]) {
    expect(refusal(env)).not.toContain('hunter2')
  }
})

test('addresses of Kubernetes services with our name are not settings', () => {
  const config = load({
    PERDURE_PORT: 'tcp://10.0.0.7:8283',
    PERDURE_PORT_8283_TCP: 'tcp://10.0.0.7:8283',
    PERDURE_PORT_8283_TCP_ADDR: '10.0.0.7',
    PERDURE_SERVICE_HOST: '10.0.0.7',
    PERDURE_SERVICE_PORT_HTTP: '8283',
    PERDURE_REDIS_SERVICE_HOST: '10.0.0.8',
    PERDURE_REDIS_PORT: 'tcp://10.0.0.8:6379',
  })
  expect(config.port).toBe(8283)
})

test('a storage of uploads needs its place, and a bucket both keys or none', () => {
  expect(refusal({ PERDURE_FILE_STORAGE: 'folder' })).toContain('set PERDURE_FILE_STORAGE_FOLDER')
  expect(refusal({ PERDURE_FILE_STORAGE: 's3' })).toContain('set PERDURE_S3_BUCKET')
  const half = { PERDURE_FILE_STORAGE: 's3', PERDURE_S3_BUCKET: 'b', PERDURE_S3_ACCESS_KEY_ID: 'a' }
  expect(refusal(half)).toBe('PERDURE_S3_SECRET_ACCESS_KEY is missing: set both keys of the bucket, or neither.')
  const whole = load({
    ...half,
    PERDURE_S3_SECRET_ACCESS_KEY: 'b',
    PERDURE_S3_PREFIX: '/a/b/',
    AWS_REGION: 'eu-west-1',
  })
  expect(storageSettingsOf(whole)).toEqual({
    current: 's3',
    folder: undefined,
    s3: {
      bucket: 'b',
      region: 'eu-west-1',
      endpoint: undefined,
      isPathStyle: false,
      prefix: 'a/b/',
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    },
  })
  expect(storageSettingsOf(load({ PERDURE_S3_BUCKET: 'b', PERDURE_S3_ENDPOINT: 'http://s3' })).s3?.isPathStyle).toBe(
    true,
  )
})

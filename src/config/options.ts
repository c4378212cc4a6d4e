/**
 * Every setting of the server, once. From this table come the environment variables with their aliases and `_FILE` variants,
 * the flags of `perdure server`, `--help`, `docs/configuration.md` and the type of Config.
 */

export type OptionGroup =
  | 'Server'
  | 'Database'
  | 'Models'
  | 'Providers'
  | 'Files'
  | 'Callbacks'
  | 'Tools'
  | 'Logs'
  | 'Client'
  | 'Not used yet'

interface OptionBase {
  /** The field of Config. A duration's name ends in `Ms`, a size's in `Bytes`. */
  readonly key: string
  readonly name: string
  /** Other names of the same variable, most telling first; the first one that is set counts. */
  readonly aliases?: readonly string[]
  /** The flag of `perdure server`. Keys have none: a command line is visible to every user of the machine. */
  readonly flag?: `--${string}`
  readonly group: OptionGroup
  readonly doc: string
  /** Never shown. Can also be read from the file that `<NAME>_FILE` names. */
  readonly secret?: true
  /** Of a model provider: its name, the first part of its handles, and which of its settings this is. */
  readonly provider?: { readonly name: string; readonly field: 'apiKey' | 'baseUrl' }
  /** Why the setting has no effect in this version; said at the start by whoever sets it. */
  readonly unused?: string
}

interface TextOption extends OptionBase {
  readonly type: 'string' | 'path'
  readonly default?: string
}
interface UrlOption extends OptionBase {
  readonly type: 'url'
  readonly default?: string
  /** Schemes that are accepted, without the colon. */
  readonly schemes: readonly string[]
}
interface IntegerOption extends OptionBase {
  readonly type: 'integer'
  readonly default?: number
  /** A word that is accepted too, and the number that stands for it. */
  readonly word?: { readonly text: string; readonly value: number }
  readonly min: number
  readonly max: number
}
/** In milliseconds here; `500ms`, `30s`, `2m`, `1h` or plain seconds in the environment. */
interface DurationOption extends OptionBase {
  readonly type: 'duration'
  readonly default: number
  readonly min: number
  readonly max: number
}
/** In bytes here; `20MiB`, `512KiB`, `20MB` (read as MiB) or plain bytes in the environment. */
interface SizeOption extends OptionBase {
  readonly type: 'size'
  readonly default: number
  readonly min: number
  readonly max: number
}
interface ChoiceOption extends OptionBase {
  readonly type: 'choice'
  readonly choices: readonly string[]
  readonly default: string
  /** Spellings of other programs, in lower case. */
  readonly synonyms?: Readonly<Record<string, string>>
}
/** Origins of web pages, separated by commas or spaces. */
interface OriginsOption extends OptionBase {
  readonly type: 'origins'
}
/** `name=url[,VARIABLE]` entries separated by spaces; VARIABLE holds the key. */
interface EndpointsOption extends OptionBase {
  readonly type: 'endpoints'
}

export type Option =
  | TextOption
  | UrlOption
  | IntegerOption
  | DurationOption
  | SizeOption
  | ChoiceOption
  | OriginsOption
  | EndpointsOption

const HTTP = ['http', 'https'] as const
const SECOND = 1_000
const HOUR = 3_600_000
const MIB = 1024 * 1024

/** What `auto` means in `workers`: as many as there are cores. */
export const AUTO_WORKERS = 0

export const OPTIONS = [
  {
    key: 'host',
    name: 'PERDURE_HOST',
    flag: '--host',
    type: 'string',
    default: '127.0.0.1',
    group: 'Server',
    doc: 'Address to listen on. Any other than this machine (`0.0.0.0` in a container) needs `PERDURE_API_KEY`.',
  },
  {
    key: 'port',
    name: 'PERDURE_PORT',
    aliases: ['PORT'],
    flag: '--port',
    type: 'integer',
    default: 8283,
    min: 0,
    max: 65_535,
    group: 'Server',
    doc: 'Port to listen on; 0 takes a free one.',
  },
  {
    key: 'apiKey',
    name: 'PERDURE_API_KEY',
    aliases: ['LETTA_SERVER_PASSWORD', 'LETTA_API_KEY'],
    type: 'string',
    secret: true,
    group: 'Server',
    doc: 'Key that every request must send as `Authorization: Bearer <key>`. Without it only this machine is served.',
  },
  {
    key: 'corsOrigins',
    name: 'PERDURE_CORS_ORIGINS',
    aliases: ['LETTA_CORS_ORIGINS', 'ACCEPTABLE_ORIGINS'],
    flag: '--cors-origins',
    type: 'origins',
    group: 'Server',
    doc: 'Origins of web pages that may call the server, such as `https://app.example.org`, separated by commas.',
  },
  {
    key: 'maxBodyBytes',
    name: 'PERDURE_MAX_BODY_SIZE',
    flag: '--max-body-size',
    type: 'size',
    default: 20 * MIB,
    min: 1024,
    max: 1024 * MIB,
    group: 'Server',
    doc: 'Largest request body; a larger one is answered with 413. Uploads of files have a limit of their own.',
  },
  {
    key: 'maxUploadBytes',
    name: 'PERDURE_MAX_UPLOAD_SIZE',
    flag: '--max-upload-size',
    type: 'size',
    default: 50 * MIB,
    min: 1024,
    max: 200 * MIB,
    group: 'Server',
    doc: 'Largest file that can be uploaded to a folder; a larger one is answered with 413.',
  },
  {
    key: 'keepaliveIntervalMs',
    name: 'PERDURE_KEEPALIVE_INTERVAL',
    aliases: ['LETTA_KEEPALIVE_INTERVAL'],
    flag: '--keepalive-interval',
    type: 'duration',
    default: 20 * SECOND,
    min: SECOND,
    max: HOUR,
    group: 'Server',
    doc: 'Pause after which a silent stream sends a ping, so that proxies do not cut it.',
  },
  {
    key: 'runLeaseMs',
    name: 'PERDURE_RUN_LEASE',
    flag: '--run-lease',
    type: 'duration',
    default: 3 * SECOND,
    min: SECOND,
    max: HOUR,
    group: 'Server',
    doc: 'Time after which a run whose server gives no sign of life is gone on with by another one.',
  },
  {
    key: 'approvalTimeoutMs',
    name: 'PERDURE_APPROVAL_TIMEOUT',
    flag: '--approval-timeout',
    type: 'duration',
    default: 0,
    min: 0,
    max: 365 * 24 * HOUR,
    group: 'Server',
    doc: 'Time after which a tool call that waits for an approval or for its client is denied, and the agent goes on. 0: it waits for ever.',
  },
  {
    key: 'maxActiveRuns',
    name: 'PERDURE_MAX_ACTIVE_RUNS',
    flag: '--max-active-runs',
    type: 'integer',
    default: 1_000,
    min: 1,
    max: 100_000,
    group: 'Server',
    doc: 'Runs that one process works on at once; more wait in the database, for any replica. A run takes up to 1 MiB and a connection to its model.',
  },
  {
    key: 'maxQueuedRuns',
    name: 'PERDURE_MAX_QUEUED_RUNS',
    flag: '--max-queued-runs',
    type: 'integer',
    default: 10_000,
    min: 1,
    max: 10_000_000,
    group: 'Server',
    doc: 'Messages of one tenant that may wait for their turn, on all replicas together; ten times as many of all tenants. More are answered `503` with `Retry-After`.',
  },
  {
    key: 'workers',
    name: 'PERDURE_WORKERS',
    flag: '--workers',
    type: 'integer',
    default: 1,
    word: { text: 'auto', value: AUTO_WORKERS },
    min: 1,
    max: 128,
    group: 'Server',
    doc: 'Processes that share the port, `auto` for one per core; more than one needs PostgreSQL. `PERDURE_DATABASE_POOL_SIZE` is shared out among them.',
  },
  {
    key: 'shutdownDelayMs',
    name: 'PERDURE_SHUTDOWN_DELAY',
    flag: '--shutdown-delay',
    type: 'duration',
    default: 3 * SECOND,
    min: 0,
    max: HOUR,
    group: 'Server',
    doc: 'Time that the server goes on listening after SIGTERM, with `/ready` at 503, so that load balancers can notice. At most half of the grace; not waited for with the embedded database and after Ctrl-C.',
  },
  {
    key: 'shutdownGraceMs',
    name: 'PERDURE_SHUTDOWN_GRACE',
    flag: '--shutdown-grace',
    type: 'duration',
    default: 20 * SECOND,
    min: SECOND,
    max: HOUR,
    group: 'Server',
    doc: 'Time from the signal to the end of the process, the delay included: runs are handed over after their step, requests and streams end. Let whatever would kill the process wait longer.',
  },
  {
    key: 'streamRetentionMs',
    name: 'PERDURE_STREAM_RETENTION',
    flag: '--stream-retention',
    type: 'duration',
    default: 3 * HOUR,
    min: SECOND,
    max: 30 * 24 * HOUR,
    group: 'Server',
    doc: 'Time for which the stream of a run can be read again, from any event on. Messages are kept for ever.',
  },
  {
    key: 'streamMaxBytes',
    name: 'PERDURE_STREAM_MAX_SIZE',
    flag: '--stream-max-size',
    type: 'size',
    default: 32 * MIB,
    min: 64 * 1024,
    max: 1024 * MIB,
    group: 'Server',
    doc: 'Events that are kept of one run; of a longer stream the beginning is forgotten first.',
  },
  {
    key: 'dataDir',
    name: 'PERDURE_DATA_DIR',
    flag: '--data-dir',
    type: 'path',
    default: '~/.perdure',
    group: 'Database',
    doc: 'Folder of the embedded database, used when `PERDURE_DATABASE_URL` is not set.',
  },
  {
    key: 'databaseUrl',
    name: 'PERDURE_DATABASE_URL',
    aliases: ['LETTA_PG_URI', 'LETTA_DB_URL'],
    flag: '--database-url',
    type: 'url',
    schemes: ['postgresql', 'postgres'],
    secret: true,
    group: 'Database',
    doc: 'PostgreSQL 15 or newer with pgvector: `postgresql://user:password@host:5432/database`.',
  },
  {
    key: 'databasePoolSize',
    name: 'PERDURE_DATABASE_POOL_SIZE',
    aliases: ['LETTA_PG_POOL_SIZE'],
    flag: '--database-pool-size',
    type: 'integer',
    default: 20,
    min: 2,
    max: 500,
    group: 'Database',
    doc: 'Connections to PostgreSQL at most. None is held while a model or a tool works. Each of several workers gets its share, at least 2.',
  },
  {
    key: 'defaultModel',
    name: 'PERDURE_DEFAULT_MODEL',
    aliases: ['LETTA_DEFAULT_LLM_HANDLE'],
    flag: '--default-model',
    type: 'string',
    group: 'Models',
    doc: 'Model of agents that are created without one, such as `openai/gpt-5-mini`.',
  },
  {
    key: 'defaultEmbedding',
    name: 'PERDURE_DEFAULT_EMBEDDING',
    aliases: ['LETTA_DEFAULT_EMBEDDING_HANDLE'],
    flag: '--default-embedding',
    type: 'string',
    group: 'Models',
    doc: 'Model that makes the vectors of memories, messages and files for search, and of agents that are created without one, such as `openai/text-embedding-3-small`. Without it a model in this process, `perdure/all-MiniLM-L6-v2`, which needs no key and no network; see embeddings.md.',
  },
  {
    key: 'embeddings',
    name: 'PERDURE_EMBEDDINGS',
    flag: '--embeddings',
    type: 'choice',
    choices: ['on', 'off'],
    default: 'on',
    group: 'Models',
    doc: 'Whether vectors are made at all; without them search goes by words alone.',
  },
  {
    key: 'globalMaxContextWindow',
    name: 'PERDURE_GLOBAL_MAX_CONTEXT_WINDOW',
    aliases: ['LETTA_GLOBAL_MAX_CONTEXT_WINDOW_LIMIT', 'GLOBAL_MAX_CONTEXT_WINDOW_LIMIT'],
    flag: '--global-max-context-window',
    type: 'integer',
    default: 128_000,
    min: 4_096,
    max: 10_000_000,
    group: 'Models',
    doc: 'Tokens of context that an agent gets by default, where its model could take more.',
  },
  {
    key: 'modelFirstByteTimeoutMs',
    name: 'PERDURE_MODEL_FIRST_BYTE_TIMEOUT',
    flag: '--model-first-byte-timeout',
    type: 'duration',
    default: 30 * SECOND,
    min: SECOND,
    max: HOUR,
    group: 'Models',
    doc: 'Time that a provider has to begin its answer. Local models that load slowly need more.',
  },
  {
    key: 'modelIdleTimeoutMs',
    name: 'PERDURE_MODEL_IDLE_TIMEOUT',
    flag: '--model-idle-timeout',
    type: 'duration',
    default: 120 * SECOND,
    min: SECOND,
    max: HOUR,
    group: 'Models',
    doc: 'Silence in the middle of an answer after which the request counts as failed.',
  },
  {
    key: 'summaryTimeoutMs',
    name: 'PERDURE_SUMMARY_TIMEOUT',
    flag: '--summary-timeout',
    type: 'duration',
    default: 30 * SECOND,
    min: SECOND,
    max: HOUR,
    group: 'Models',
    doc: 'Time for the summary when a conversation outgrows its context window; the oldest messages then leave without one, and the agent goes on. Slow local models need more.',
  },
  keyed('openai', 'OPENAI', 'OpenAI'),
  {
    ...based('openai', 'OPENAI_BASE_URL', 'OpenAI, or of a gateway in front of it; handles stay `openai/…`'),
    aliases: ['OPENAI_API_BASE'],
  },
  keyed('anthropic', 'ANTHROPIC', 'Anthropic'),
  based('anthropic', 'ANTHROPIC_BASE_URL', 'Anthropic, or of a gateway in front of it'),
  keyed('google_ai', 'GEMINI', 'Google Gemini'),
  based('google_ai', 'GEMINI_BASE_URL', 'Google Gemini'),
  based('ollama', 'OLLAMA_BASE_URL', 'an Ollama server, with or without `/v1`'),
  based('vllm', 'VLLM_API_BASE', 'a vLLM server, with or without `/v1`'),
  based('lmstudio', 'LMSTUDIO_BASE_URL', 'an LM Studio server, with or without `/v1`'),
  keyed('openrouter', 'OPENROUTER', 'OpenRouter'),
  keyed('groq', 'GROQ', 'Groq'),
  keyed('together', 'TOGETHER', 'Together AI'),
  keyed('deepseek', 'DEEPSEEK', 'DeepSeek'),
  keyed('xai', 'XAI', 'xAI'),
  keyed('mistral', 'MISTRAL', 'Mistral'),
  keyed('fireworks', 'FIREWORKS', 'Fireworks'),
  keyed('cerebras', 'CEREBRAS', 'Cerebras'),
  {
    key: 'openaiCompatible',
    name: 'PERDURE_OPENAI_COMPATIBLE',
    flag: '--openai-compatible',
    type: 'endpoints',
    group: 'Providers',
    doc: 'Further servers with the API of OpenAI, separated by spaces: `name=url` or `name=url,VARIABLE`, where VARIABLE is the environment variable with the key. Handles are `name/…`. Example: `lab=http://10.0.0.5:8000/v1 corp=https://llm.example.org/v1,CORP_LLM_KEY`.',
  },
  {
    key: 'providerAddresses',
    name: 'PERDURE_PROVIDER_ADDRESSES',
    flag: '--provider-addresses',
    type: 'choice',
    choices: ['public', 'any'],
    default: 'public',
    group: 'Providers',
    doc: 'Where the providers may be that clients bring (`POST /v1/providers`): `public` refuses private, loopback, link-local and metadata addresses, so that no client reaches the network behind the server; `any` allows them. Providers of these settings may be anywhere.',
  },
  {
    key: 'providerTraces',
    name: 'PERDURE_PROVIDER_TRACES',
    aliases: ['LETTA_TRACK_PROVIDER_TRACE'],
    flag: '--provider-traces',
    type: 'choice',
    choices: ['off', 'on'],
    synonyms: { true: 'on', '1': 'on', yes: 'on', false: 'off', '0': 'off', no: 'off' },
    default: 'off',
    group: 'Providers',
    doc: 'Whether request and answer of every model call are kept, for `GET /v1/steps/{id}/trace`. They hold whole prompts: many times what the messages take, and whatever the prompts say.',
  },
  {
    key: 'fileStorage',
    name: 'PERDURE_FILE_STORAGE',
    flag: '--file-storage',
    type: 'choice',
    choices: ['database', 'folder', 's3'],
    default: 'database',
    group: 'Files',
    doc: 'Where the bytes of uploads wait until they are read: in the database, in a folder, or in a bucket of S3. What waits elsewhere since other settings is read as long as those stay set. See files.md.',
  },
  {
    key: 'fileStorageFolder',
    name: 'PERDURE_FILE_STORAGE_FOLDER',
    flag: '--file-storage-folder',
    type: 'path',
    group: 'Files',
    doc: 'Folder of uploads; of several servers the same, on a volume that they share.',
  },
  {
    key: 's3Bucket',
    name: 'PERDURE_S3_BUCKET',
    flag: '--s3-bucket',
    type: 'string',
    group: 'Files',
    doc: 'Bucket of uploads, on AWS or any server that speaks S3 (MinIO, Ceph, R2, …).',
  },
  {
    key: 's3Prefix',
    name: 'PERDURE_S3_PREFIX',
    flag: '--s3-prefix',
    type: 'string',
    default: 'perdure-uploads',
    group: 'Files',
    doc: 'What the names of all objects begin with.',
  },
  {
    key: 's3Region',
    name: 'PERDURE_S3_REGION',
    aliases: ['AWS_REGION', 'AWS_DEFAULT_REGION'],
    flag: '--s3-region',
    type: 'string',
    default: 'us-east-1',
    group: 'Files',
    doc: 'Region of the bucket.',
  },
  {
    key: 's3Endpoint',
    name: 'PERDURE_S3_ENDPOINT',
    aliases: ['AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL'],
    flag: '--s3-endpoint',
    type: 'url',
    schemes: HTTP,
    group: 'Files',
    doc: 'Address of a server that speaks S3, where it is not that of AWS.',
  },
  {
    key: 's3PathStyle',
    name: 'PERDURE_S3_PATH_STYLE',
    flag: '--s3-path-style',
    type: 'choice',
    choices: ['auto', 'on', 'off'],
    default: 'auto',
    group: 'Files',
    doc: 'Whether the bucket stands in the path of requests instead of in the name of the host; `auto`: where `PERDURE_S3_ENDPOINT` is set.',
  },
  {
    key: 's3AccessKeyId',
    name: 'PERDURE_S3_ACCESS_KEY_ID',
    type: 'string',
    secret: true,
    group: 'Files',
    doc: "Key of the bucket. Without it, what AWS's own tools take: `AWS_ACCESS_KEY_ID`, a profile, web identity, the role of the container or the machine.",
  },
  {
    key: 's3SecretAccessKey',
    name: 'PERDURE_S3_SECRET_ACCESS_KEY',
    type: 'string',
    secret: true,
    group: 'Files',
    doc: 'The secret that belongs to `PERDURE_S3_ACCESS_KEY_ID`.',
  },
  {
    key: 'webhookSecret',
    name: 'PERDURE_WEBHOOK_SECRET',
    type: 'string',
    secret: true,
    group: 'Callbacks',
    doc: 'Key that signs callbacks: `whsec_` and base64, or any text. Two of them, separated by a space, give two signatures while receivers change over. Without it callbacks have no signature.',
  },
  {
    key: 'webhookTimeoutMs',
    name: 'PERDURE_WEBHOOK_TIMEOUT',
    flag: '--webhook-timeout',
    type: 'duration',
    default: 5 * SECOND,
    min: 100,
    max: 60 * SECOND,
    group: 'Callbacks',
    doc: 'Time that the receiver of a callback has to answer; the attempt counts as failed after it.',
  },
  {
    key: 'webhookAddresses',
    name: 'PERDURE_WEBHOOK_ADDRESSES',
    flag: '--webhook-addresses',
    type: 'choice',
    choices: ['public', 'any'],
    default: 'public',
    group: 'Callbacks',
    doc: 'Where callbacks may be sent: `public` refuses private, loopback, link-local and metadata addresses, so that no client reaches the network behind the server; `any` allows them.',
  },
  {
    key: 'mcpStdio',
    name: 'PERDURE_MCP_STDIO',
    flag: '--mcp-stdio',
    type: 'choice',
    choices: ['off', 'on', 'unconfined'],
    default: 'off',
    group: 'Tools',
    doc: 'Whether MCP servers of the type stdio can be used: programs that run on the machine of this server. `on` runs them in the sandbox, and not at all where there is none; `unconfined` with the rights of this server. V1 called the opposite `MCP_DISABLE_STDIO`.',
  },
  {
    key: 'mcpStdioPaths',
    name: 'PERDURE_MCP_STDIO_PATHS',
    flag: '--mcp-stdio-paths',
    type: 'string',
    group: 'Tools',
    doc: 'Files and folders that programs of MCP servers may read in the sandbox, besides the programs and libraries of the system: absolute paths separated by commas. They can write to nothing but a folder of their own.',
  },
  {
    key: 'mcpAddresses',
    name: 'PERDURE_MCP_ADDRESSES',
    flag: '--mcp-addresses',
    type: 'choice',
    choices: ['public', 'any'],
    default: 'public',
    group: 'Tools',
    doc: 'Where MCP servers may be: `public` refuses private, loopback, link-local and metadata addresses and local names, so that no client reaches the network behind the server; `any` allows them.',
  },
  {
    key: 'pythonSandbox',
    name: 'PERDURE_PYTHON_SANDBOX',
    flag: '--python-sandbox',
    type: 'choice',
    choices: ['auto', 'cpython', 'pyodide', 'off'],
    default: 'auto',
    group: 'Tools',
    doc: 'What runs Python of tools: `cpython`, the python3 of this machine, contained by the Linux kernel (Landlock, seccomp, limits); `pyodide`, Python in WebAssembly in a Deno process; `auto` takes the first that this machine can do; `off` runs none. A sandbox that cannot be had refuses, it is never left out: `perdure doctor` says which is on.',
  },
  {
    key: 'pythonPath',
    name: 'PERDURE_PYTHON',
    flag: '--python',
    type: 'string',
    group: 'Tools',
    doc: 'Path of the Python (CPython 3.9 or newer) of the `cpython` sandbox; the `python3` of the system unless told. Packages of tools need its pip.',
  },
  {
    key: 'typescriptSandbox',
    name: 'PERDURE_TYPESCRIPT_SANDBOX',
    flag: '--typescript-sandbox',
    type: 'choice',
    choices: ['deno', 'off'],
    default: 'deno',
    group: 'Tools',
    doc: 'What runs TypeScript and JavaScript of tools: `deno`, a process without permissions, or nothing.',
  },
  {
    key: 'toolTimeoutMs',
    name: 'PERDURE_TOOL_TIMEOUT',
    aliases: ['LETTA_TOOL_SANDBOX_TIMEOUT', 'TOOL_SANDBOX_TIMEOUT'],
    flag: '--tool-timeout',
    type: 'duration',
    default: 180 * SECOND,
    min: 100,
    max: HOUR,
    group: 'Tools',
    doc: 'Time that the code of a tool has for one call; then it is killed.',
  },
  {
    key: 'toolMemoryBytes',
    name: 'PERDURE_TOOL_MEMORY',
    flag: '--tool-memory',
    type: 'size',
    default: 256 * MIB,
    min: 16 * MIB,
    max: 16_384 * MIB,
    group: 'Tools',
    doc: 'Memory that the code of a tool has for one call, beyond what its interpreter takes.',
  },
  {
    key: 'toolConcurrency',
    name: 'PERDURE_TOOL_CONCURRENCY',
    flag: '--tool-concurrency',
    type: 'integer',
    default: 16,
    min: 1,
    max: 1_000,
    group: 'Tools',
    doc: 'Processes that one server has for code of tools at once, for each language; more calls wait. Times `PERDURE_TOOL_MEMORY` it is what they can take together.',
  },
  {
    key: 'toolNetwork',
    name: 'PERDURE_TOOL_NETWORK',
    flag: '--tool-network',
    type: 'choice',
    choices: ['none', 'public'],
    default: 'none',
    group: 'Tools',
    doc: 'What code of tools can connect to that names no hosts in `metadata_.network`: nothing, or the public internet as in V1.',
  },
  {
    key: 'toolAddresses',
    name: 'PERDURE_TOOL_ADDRESSES',
    flag: '--tool-addresses',
    type: 'choice',
    choices: ['public', 'any'],
    default: 'public',
    group: 'Tools',
    doc: 'Whether hosts that a tool names may be on private networks: `public` refuses private, loopback, link-local and metadata addresses whatever the tool says; `any` allows them.',
  },
  {
    key: 'toolPackages',
    name: 'PERDURE_TOOL_PACKAGES',
    flag: '--tool-packages',
    type: 'choice',
    choices: ['off', 'on'],
    default: 'off',
    group: 'Tools',
    doc: 'Whether packages that tools name (`pip_requirements`, `npm_requirements`) are installed, from the index below, without running anything of theirs.',
  },
  {
    key: 'pipIndexUrl',
    name: 'PERDURE_PIP_INDEX_URL',
    aliases: ['PIP_INDEX_URL'],
    type: 'url',
    schemes: HTTP,
    secret: true,
    group: 'Tools',
    doc: "Where Python packages come from; pip's own setting unless told.",
  },
  {
    key: 'npmRegistryUrl',
    name: 'PERDURE_NPM_REGISTRY',
    type: 'url',
    schemes: HTTP,
    secret: true,
    group: 'Tools',
    doc: "Where JavaScript packages come from; npm's own setting unless told.",
  },
  {
    key: 'cacheDir',
    name: 'PERDURE_CACHE_DIR',
    flag: '--cache-dir',
    type: 'path',
    default: '~/.perdure/cache',
    group: 'Tools',
    doc: 'Folder of what can be made again: packages of tools, the snapshot of Pyodide, the local embedding model. Without one that can be written to, tools with packages are refused.',
  },
  {
    key: 'mcpAllowedHosts',
    name: 'PERDURE_MCP_ALLOWED_HOSTS',
    flag: '--mcp-allowed-hosts',
    type: 'string',
    group: 'Tools',
    doc: 'MCP servers and their authorization servers that are allowed although they are not on the public internet: names, `*.example.org`, addresses and networks such as `10.0.0.0/8`, separated by commas.',
  },
  {
    key: 'mcpConnectTimeoutMs',
    name: 'PERDURE_MCP_CONNECT_TIMEOUT',
    aliases: ['MCP_CONNECT_TO_SERVER_TIMEOUT'],
    flag: '--mcp-connect-timeout',
    type: 'duration',
    default: 30 * SECOND,
    min: 100,
    max: HOUR,
    group: 'Tools',
    doc: 'Time that connecting to an MCP server may take, with the handshake.',
  },
  {
    key: 'mcpListTimeoutMs',
    name: 'PERDURE_MCP_LIST_TIMEOUT',
    aliases: ['MCP_LIST_TOOLS_TIMEOUT'],
    flag: '--mcp-list-timeout',
    type: 'duration',
    default: 30 * SECOND,
    min: 100,
    max: HOUR,
    group: 'Tools',
    doc: 'Time that an MCP server has to tell its tools, all pages together.',
  },
  {
    key: 'mcpCallTimeoutMs',
    name: 'PERDURE_MCP_CALL_TIMEOUT',
    aliases: ['MCP_EXECUTE_TOOL_TIMEOUT'],
    flag: '--mcp-call-timeout',
    type: 'duration',
    default: 60 * SECOND,
    min: 100,
    max: HOUR,
    group: 'Tools',
    doc: 'Time that a call of an MCP tool may take; then it is cancelled, and the model reads that it took too long.',
  },
  {
    key: 'mcpIdleTimeoutMs',
    name: 'PERDURE_MCP_IDLE_TIMEOUT',
    flag: '--mcp-idle-timeout',
    type: 'duration',
    default: 300 * SECOND,
    min: SECOND,
    max: 24 * HOUR,
    group: 'Tools',
    doc: 'Time after which a connection to an MCP server, or its program, that nobody uses is closed.',
  },
  {
    key: 'mcpMaxConnections',
    name: 'PERDURE_MCP_MAX_CONNECTIONS',
    flag: '--mcp-max-connections',
    type: 'integer',
    default: 200,
    min: 1,
    max: 100_000,
    group: 'Tools',
    doc: 'Connections to MCP servers that one process keeps; of more, the one that was used longest ago is closed.',
  },
  {
    key: 'mcpMaxResponseBytes',
    name: 'PERDURE_MCP_MAX_RESPONSE_SIZE',
    flag: '--mcp-max-response-size',
    type: 'size',
    default: 10 * MIB,
    min: 1024,
    max: 256 * MIB,
    group: 'Tools',
    doc: 'Largest answer of an MCP server: a body, one event of a stream, one line of a program.',
  },
  {
    key: 'publicUrl',
    name: 'PERDURE_PUBLIC_URL',
    flag: '--public-url',
    type: 'url',
    schemes: HTTP,
    group: 'Server',
    doc: 'Address under which browsers reach this server, such as `https://agents.example.org`: people who allow an MCP server by OAuth come back to it. Without it, the address of the request that began it is used.',
  },
  {
    key: 'fetchAddresses',
    name: 'PERDURE_FETCH_ADDRESSES',
    flag: '--fetch-addresses',
    type: 'choice',
    choices: ['public', 'any'],
    default: 'public',
    group: 'Tools',
    doc: 'Where `fetch_webpage` may read pages: `public` refuses private, loopback, link-local and metadata addresses, local names and ports of no web server, so that no agent reaches the network behind the server; `any` allows them.',
  },
  {
    key: 'fetchAllowedHosts',
    name: 'PERDURE_FETCH_ALLOWED_HOSTS',
    flag: '--fetch-allowed-hosts',
    type: 'string',
    group: 'Tools',
    doc: 'Hosts that `fetch_webpage` may read although they are not on the public internet: names, `*.example.org`, addresses and networks such as `10.20.0.0/16`, separated by commas: an internal wiki.',
  },
  {
    key: 'fetchTimeoutMs',
    name: 'PERDURE_FETCH_TIMEOUT',
    flag: '--fetch-timeout',
    type: 'duration',
    default: 30 * SECOND,
    min: 100,
    max: 10 * 60 * SECOND,
    group: 'Tools',
    doc: 'Time that `fetch_webpage` has for a page with its redirects, and `web_search` for a search.',
  },
  {
    key: 'fetchMaxBytes',
    name: 'PERDURE_FETCH_MAX_SIZE',
    flag: '--fetch-max-size',
    type: 'size',
    default: 5 * MIB,
    min: 1024,
    max: 64 * MIB,
    group: 'Tools',
    doc: 'Of a web page only so much is read, counted unpacked.',
  },
  {
    key: 'exaApiKey',
    name: 'EXA_API_KEY',
    type: 'string',
    secret: true,
    group: 'Tools',
    doc: 'Key of Exa, with which `web_search` searches. A secret of the same name at an agent goes before it.',
  },
  {
    key: 'exaBaseUrl',
    name: 'EXA_BASE_URL',
    type: 'url',
    schemes: HTTP,
    default: 'https://api.exa.ai',
    group: 'Tools',
    doc: 'Address of Exa, where it is reached through a gateway.',
  },
  {
    key: 'tavilyApiKey',
    name: 'TAVILY_API_KEY',
    type: 'string',
    secret: true,
    group: 'Tools',
    doc: 'Key of Tavily, with which `web_search` searches. A secret of the same name at an agent goes before it.',
  },
  {
    key: 'tavilyBaseUrl',
    name: 'TAVILY_BASE_URL',
    type: 'url',
    schemes: HTTP,
    default: 'https://api.tavily.com',
    group: 'Tools',
    doc: 'Address of Tavily, where it is reached through a gateway.',
  },
  {
    key: 'braveSearchApiKey',
    name: 'BRAVE_SEARCH_API_KEY',
    type: 'string',
    secret: true,
    group: 'Tools',
    doc: 'Key of Brave Search, with which `web_search` searches. A secret of the same name at an agent goes before it.',
  },
  {
    key: 'braveSearchBaseUrl',
    name: 'BRAVE_SEARCH_BASE_URL',
    type: 'url',
    schemes: HTTP,
    default: 'https://api.search.brave.com',
    group: 'Tools',
    doc: 'Address of Brave Search, where it is reached through a gateway.',
  },
  {
    key: 'batchRuns',
    name: 'PERDURE_BATCH_RUNS',
    flag: '--batch-runs',
    type: 'integer',
    default: 8,
    min: 1,
    max: 1000,
    group: 'Server',
    doc: 'Runs of one batch that work or wait at once, so that a batch leaves room for people.',
  },
  {
    key: 'logLevel',
    name: 'LOG_LEVEL',
    aliases: ['PERDURE_LOG_LEVEL'],
    flag: '--log-level',
    type: 'choice',
    choices: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    synonyms: { warning: 'warn', critical: 'fatal' },
    default: 'info',
    group: 'Logs',
    doc: 'Least important line that is written.',
  },
  {
    key: 'logFormat',
    name: 'LOG_FORMAT',
    aliases: ['PERDURE_LOG_FORMAT'],
    flag: '--log-format',
    type: 'choice',
    choices: ['auto', 'json', 'pretty'],
    default: 'auto',
    group: 'Logs',
    doc: 'One JSON object per line, or lines for people; `auto` is pretty on a terminal and JSON otherwise.',
  },
  {
    key: 'baseUrl',
    name: 'PERDURE_BASE_URL',
    type: 'url',
    schemes: HTTP,
    default: 'http://127.0.0.1:8283',
    group: 'Client',
    doc: 'Server that `perdure chat` talks to; it sends `PERDURE_API_KEY` where that is set.',
  },
  {
    key: 'redisUrl',
    name: 'PERDURE_REDIS_URL',
    aliases: ['LETTA_REDIS_URL'],
    flag: '--redis-url',
    type: 'url',
    schemes: ['redis', 'rediss'],
    secret: true,
    group: 'Database',
    doc: 'Redis (6.2 or newer) or Valkey, for streams that are followed on another replica than the one that works: it spares the database. It holds nothing that may not be lost; see degraded-modes.md. Not used with the embedded database.',
  },
  {
    key: 'redisHost',
    name: 'LETTA_REDIS_HOST',
    type: 'string',
    group: 'Database',
    doc: 'Host of Redis, as V1 named it; `PERDURE_REDIS_URL` wins.',
  },
  {
    key: 'redisPort',
    name: 'LETTA_REDIS_PORT',
    type: 'integer',
    min: 1,
    max: 65_535,
    group: 'Database',
    doc: 'Port of Redis, as V1 named it; 6379 unless told.',
  },
  {
    key: 'jwtSecret',
    name: 'LETTA_JWT_SECRET',
    type: 'string',
    secret: true,
    group: 'Not used yet',
    doc: 'Secret of signed tokens.',
    unused: 'this version knows no signed tokens; protect the server with PERDURE_API_KEY',
  },
  {
    key: 'encryptionKey',
    name: 'PERDURE_ENCRYPTION_KEY',
    aliases: ['LETTA_ENCRYPTION_KEY'],
    type: 'string',
    secret: true,
    group: 'Database',
    doc: 'What secrets in the database are encrypted with (those of agents, provider keys, tokens of MCP servers): any text of 16 characters or more, the same on every replica. Unless it is set, an embedded database has a key file beside it, and a server on PostgreSQL stores no secrets.',
  },
  {
    key: 'sentryDsn',
    name: 'SENTRY_DSN',
    type: 'string',
    secret: true,
    group: 'Not used yet',
    doc: 'Where Sentry takes crash reports.',
    unused: 'this version sends no crash reports; faults are in the log',
  },
  {
    key: 'otlpEndpoint',
    name: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    type: 'string',
    group: 'Not used yet',
    doc: 'Where OpenTelemetry takes traces.',
    unused: 'this version sends no traces',
  },
] as const satisfies readonly Option[]

/** The row of a provider's key. */
function keyed(provider: string, prefix: string, owner: string) {
  return {
    key: `${provider}ApiKey`,
    name: `${prefix}_API_KEY`,
    type: 'string',
    secret: true,
    provider: { name: provider, field: 'apiKey' },
    group: 'Providers',
    doc: `Key of ${owner}; its models have handles \`${provider}/…\`.`,
  } as const
}

/** The row of a provider's address. */
function based(provider: string, name: string, owner: string) {
  return {
    key: `${provider}BaseUrl`,
    name,
    type: 'url',
    schemes: HTTP,
    provider: { name: provider, field: 'baseUrl' },
    group: 'Providers',
    doc: `Address of ${owner}.`,
  } as const
}

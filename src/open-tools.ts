import { isAbsolute, join } from 'node:path'
import type { Config } from '#config/config.ts'
import { ConfigError } from '#config/config-error.ts'
import { installerEnvironment } from '#config/installer-environment.ts'
import type { RetrievalLog } from '#memory/retrieval-log.ts'
import type { VectorSearch } from '#memory/search/vector-search.ts'
import { type AllowedHosts, parseAllowedHosts } from '#platform/allowed-hosts.ts'
import { errorMessage } from '#platform/errors.ts'
import { type Logger, namedLogger } from '#platform/logger.ts'
import type { SecretBox } from '#platform/secret-box.ts'
import { VERSION } from '#platform/version.ts'
import type { Db } from '#store/db.ts'
import { CustomTools } from '#tools/custom-tools.ts'
import { callMcpTool } from '#tools/mcp/call-mcp-tool.ts'
import { McpPool } from '#tools/mcp/mcp-pool.ts'
import { PackageLayers } from '#tools/packages/package-layers.ts'
import { openSandbox, toolLimits } from '#tools/sandbox/open-sandbox.ts'
import { buildConfinedCommand } from '#tools/sandbox/python/build-confined-command.ts'
import { findPython } from '#tools/sandbox/python/find-python.ts'
import { SandboxedCode } from '#tools/sandboxed-code.ts'
import type { ToolServices } from '#tools/tool.ts'
import { loadToolEnvironment } from '#tools/tool-environment.ts'
import { openWeb } from '#tools/web/open-web.ts'

interface ToolDependencies {
  config: Config
  logger: Logger
  db: Db
  secrets: SecretBox
  vectors: VectorSearch
  retrievals: RetrievalLog
}

export interface OpenTools {
  /** Connections to MCP servers. */
  mcp: McpPool
  customTools: CustomTools
  services: ToolServices
}

/**
 * Everything that executes tools. Nothing of it is started, and no connection made, before it is needed. It must end after the engine,
 * whose runs use it. Throws ConfigError for settings that mean nothing.
 */
export function openTools(resources: AsyncDisposableStack, dependencies: ToolDependencies): OpenTools {
  const { config, logger, db, secrets, vectors, retrievals } = dependencies
  const mcp = resources.use(openMcpPool(dependencies))
  const customTools = new CustomTools({
    db,
    logger: namedLogger(logger, 'tools'),
    secrets,
    sandbox: resources.use(openSandbox(config, namedLogger(logger, 'sandbox'))),
    packages: openPackages(config, namedLogger(logger, 'packages')),
    callMcpTool: (call, variables, signal) => callMcpTool({ db, secrets, pool: mcp }, { ...call, variables }, signal),
    limits: toolLimits(config),
    network: config.toolNetwork,
  })
  const { pages, search } = resources.use(
    openWeb(config, readAllowedHosts('PERDURE_FETCH_ALLOWED_HOSTS', config.fetchAllowedHosts), VERSION),
  )
  const services = {
    code: new SandboxedCode(customTools),
    pages,
    search,
    vectors,
    retrievals,
    environmentOf: (organizationId: string, agentId: string) =>
      loadToolEnvironment(db, secrets, organizationId, agentId),
  }
  return { mcp, customTools, services }
}

function openPackages(config: Config, logger: Logger): PackageLayers {
  return new PackageLayers({
    logger,
    isAllowed: config.toolPackages === 'on',
    folder: join(config.cacheDir, 'packages'),
    findPython: async () => (await findPython(config.pythonPath)).path,
    environment: installerEnvironment(),
    pipIndexUrl: config.pipIndexUrl,
    npmRegistryUrl: config.npmRegistryUrl,
  })
}

function openMcpPool({ config, logger, db, secrets }: ToolDependencies): McpPool {
  return new McpPool({
    db,
    secrets,
    logger: namedLogger(logger, 'mcp'),
    limits: {
      connectTimeoutMs: config.mcpConnectTimeoutMs,
      listTimeoutMs: config.mcpListTimeoutMs,
      callTimeoutMs: config.mcpCallTimeoutMs,
      idleTimeoutMs: config.mcpIdleTimeoutMs,
      maxConnections: config.mcpMaxConnections,
      maxResponseBytes: config.mcpMaxResponseBytes,
    },
    guard: {
      allowsPrivate: config.mcpAddresses === 'any',
      allowed: readAllowedHosts('PERDURE_MCP_ALLOWED_HOSTS', config.mcpAllowedHosts),
    },
    programs: {
      stdio: config.mcpStdio,
      confine: (program) => buildConfinedCommand({ ...program, pythonPath: config.pythonPath }),
      readPaths: stdioPathsOf(config),
    },
  })
}

function stdioPathsOf({ mcpStdioPaths }: Config): string[] {
  const paths = (mcpStdioPaths ?? '').split(',').map((path) => path.trim())
  const given = paths.filter((path) => path !== '')
  const relative = given.find((path) => !isAbsolute(path))
  if (relative === undefined) return given
  throw new ConfigError(`PERDURE_MCP_STDIO_PATHS: ${JSON.stringify(relative)} is no absolute path.`)
}

function readAllowedHosts(setting: string, text: string | undefined): AllowedHosts {
  try {
    return parseAllowedHosts(text ?? '')
  } catch (error) {
    throw new ConfigError(`${setting}: ${errorMessage(error)}.`)
  }
}

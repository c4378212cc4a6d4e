import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { type FastifyBaseLogger, fastify, LogController } from 'fastify'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { registerMcpEndpoint } from '#http/mcp/index.ts'
import { authenticate } from '#http/plugins/auth.ts'
import { closeConnectionsWhenStopping } from '#http/plugins/close-connections.ts'
import { allowOrigins } from '#http/plugins/cors.ts'
import { describeApi } from '#http/plugins/describe-api.ts'
import { answerErrors, sendError } from '#http/plugins/errors.ts'
import { keepAnswers } from '#http/plugins/idempotency.ts'
import { parseJsonBodies } from '#http/plugins/json-body.ts'
import { takeProjects } from '#http/plugins/project.ts'
import { logRequests, requestId } from '#http/plugins/request-log.ts'
import { acceptUploads } from '#http/plugins/uploads.ts'
import { validateRequests } from '#http/plugins/validation.ts'
import { registerRoot } from '#http/root/index.ts'
import { registerAccessTokens } from '#http/v1/access-tokens/index.ts'
import { registerArchivalMemory } from '#http/v1/agents/archival/index.ts'
import { registerAgentArchives } from '#http/v1/agents/archives/index.ts'
import { registerAgentFiles } from '#http/v1/agents/files/index.ts'
import { registerAgentFolders } from '#http/v1/agents/folders/index.ts'
import { registerAgents } from '#http/v1/agents/index.ts'
import { registerMessages } from '#http/v1/agents/messages/index.ts'
import { registerSchedules } from '#http/v1/agents/schedule/index.ts'
import { registerArchives } from '#http/v1/archives/index.ts'
import { registerBlocks } from '#http/v1/blocks/index.ts'
import { registerConversations } from '#http/v1/conversations/index.ts'
import { registerEmbeddings } from '#http/v1/embeddings/index.ts'
import { registerEnvironments } from '#http/v1/environments/index.ts'
import { registerFolders } from '#http/v1/folders/index.ts'
import { registerGroups } from '#http/v1/groups/index.ts'
import { registerHealth } from '#http/v1/health/index.ts'
import { registerIdentities } from '#http/v1/identities/index.ts'
import { registerJobs } from '#http/v1/jobs/index.ts'
import { registerMcpServers } from '#http/v1/mcp-servers/index.ts'
import { registerBatches } from '#http/v1/messages/batches/index.ts'
import { registerAllMessages } from '#http/v1/messages/index.ts'
import { registerModels } from '#http/v1/models/index.ts'
import { registerOpenAi } from '#http/v1/openai/index.ts'
import { registerPassages } from '#http/v1/passages/index.ts'
import { registerProjects } from '#http/v1/projects/index.ts'
import { registerProviders } from '#http/v1/providers/index.ts'
import { registerRuns } from '#http/v1/runs/index.ts'
import { registerSandboxConfigs } from '#http/v1/sandbox-config/index.ts'
import { registerSteps } from '#http/v1/steps/index.ts'
import { registerTags } from '#http/v1/tags/index.ts'
import { registerTelemetry } from '#http/v1/telemetry/index.ts'
import { registerTemplates } from '#http/v1/templates/index.ts'
import { registerTools } from '#http/v1/tools/index.ts'
import { registerLegacyMcpServers } from '#http/v1/tools/mcp/index.ts'
import { registerWebhooks } from '#http/v1/webhooks/index.ts'
import { VERSION } from '#platform/version.ts'

const REQUEST_TIMEOUT_MS = 120_000

/** The whole HTTP server, not yet listening. What comes first here runs first for a request. */
export async function buildServer(context: Context): Promise<App> {
  const app = createApp(context)

  logRequests(app)
  closeConnectionsWhenStopping(app, context.shutdown.begun)
  answerErrors(app)
  allowOrigins(app, context.config.corsOrigins)
  authenticate(app, context.config, context.db)
  parseJsonBodies(app)
  await acceptUploads(app)
  validateRequests(app)
  takeProjects(app, context.db)
  keepAnswers(app, context.db)
  await describeApi(app, VERSION)

  registerRoot(app, context)
  registerAgents(app, context)
  registerMessages(app, context)
  registerSchedules(app, context)
  registerBatches(app, context)
  registerAllMessages(app, context)
  registerArchivalMemory(app, context)
  registerAgentArchives(app, context)
  registerArchives(app, context)
  registerFolders(app, context)
  registerAgentFolders(app, context)
  registerAgentFiles(app, context)
  registerJobs(app, context)
  registerEmbeddings(app, context)
  registerBlocks(app, context)
  registerTools(app, context)
  registerLegacyMcpServers(app, context)
  registerMcpServers(app, context)
  registerSandboxConfigs(app, context)
  registerPassages(app, context)
  registerConversations(app, context)
  registerRuns(app, context)
  registerSteps(app, context)
  registerTelemetry(app, context)
  registerTags(app, context)
  registerIdentities(app, context)
  registerGroups(app, context)
  registerAccessTokens(app, context)
  registerProjects(app, context)
  registerTemplates(app, context)
  registerEnvironments(app, context)
  registerWebhooks(app, context)
  registerModels(app, context)
  registerProviders(app, context)
  registerOpenAi(app, context)
  registerMcpEndpoint(app, context)
  registerHealth(app, context)

  return app
}

function createApp(context: Context): App {
  return fastify({
    loggerInstance: context.logger as FastifyBaseLogger,
    genReqId: requestId,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request_id' }),
    bodyLimit: context.config.maxBodyBytes,
    // for a request to arrive whole; answers take as long as they take
    requestTimeout: REQUEST_TIMEOUT_MS,
    // a stream that is being written ends first; connections that wait for a next request do not hold up the end
    forceCloseConnections: 'idle',
    // a request that came in over an open connection is served like those before it: what it starts is durable
    return503OnClosing: false,
    routerOptions: {
      ignoreTrailingSlash: true,
      // labels and tool names stand in paths
      maxParamLength: 1024,
    },
    rewriteUrl: ({ url = '/' }) => (url.startsWith('/latest/') ? `/v1/${url.slice('/latest/'.length)}` : url),
    frameworkErrors: sendError,
  }).withTypeProvider<TypeBoxTypeProvider>()
}

import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { type FastifyBaseLogger, fastify, LogController } from 'fastify'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { authenticate } from '#http/plugins/auth.ts'
import { closeConnectionsWhenStopping } from '#http/plugins/close-connections.ts'
import { allowOrigins } from '#http/plugins/cors.ts'
import { describeApi } from '#http/plugins/describe-api.ts'
import { answerErrors, sendError } from '#http/plugins/errors.ts'
import { keepAnswers } from '#http/plugins/idempotency.ts'
import { parseJsonBodies } from '#http/plugins/json-body.ts'
import { acceptUploads } from '#http/plugins/uploads.ts'
import { logRequests, requestId } from '#http/plugins/request-log.ts'
import { validateRequests } from '#http/plugins/validation.ts'
import { registerRoot } from '#http/root/index.ts'
import { registerArchivalMemory } from '#http/v1/agents/archival/index.ts'
import { registerAgents } from '#http/v1/agents/index.ts'
import { registerMessages } from '#http/v1/agents/messages/index.ts'
import { registerSchedules } from '#http/v1/agents/schedule/index.ts'
import { registerBlocks } from '#http/v1/blocks/index.ts'
import { registerConversations } from '#http/v1/conversations/index.ts'
import { registerHealth } from '#http/v1/health/index.ts'
import { registerBatches } from '#http/v1/messages/batches/index.ts'
import { registerModels } from '#http/v1/models/index.ts'
import { registerPassages } from '#http/v1/passages/index.ts'
import { registerRuns } from '#http/v1/runs/index.ts'
import { registerSteps } from '#http/v1/steps/index.ts'
import { registerTags } from '#http/v1/tags/index.ts'
import { registerTools } from '#http/v1/tools/index.ts'
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
  authenticate(app, context.config)
  parseJsonBodies(app)
  await acceptUploads(app)
  validateRequests(app)
  keepAnswers(app, context.db)
  await describeApi(app, VERSION)

  registerRoot(app, context)
  registerAgents(app, context)
  registerMessages(app, context)
  registerSchedules(app, context)
  registerBatches(app, context)
  registerArchivalMemory(app, context)
  registerBlocks(app, context)
  registerTools(app, context)
  registerPassages(app, context)
  registerConversations(app, context)
  registerRuns(app, context)
  registerSteps(app, context)
  registerTags(app, context)
  registerWebhooks(app, context)
  registerModels(app, context)
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

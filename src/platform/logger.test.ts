import { expect, test } from 'vitest'
import { createLogger, type LoggerOptions, namedLogger } from './logger.ts'

function recorder(options: Partial<LoggerOptions> = {}) {
  const lines: string[] = []
  const logger = createLogger({
    level: 'info',
    format: 'json',
    destination: { write: (line: string) => void lines.push(line) },
    ...options,
  })
  return { logger, lines, last: () => JSON.parse(lines.at(-1) ?? '{}') }
}

test('a line carries time, level as a word, logger, message and the ids of its children', () => {
  const { logger, last } = recorder()
  logger.child({ request_id: 'r1' }).child({ run_id: 'run-1', agent_id: 'agent-1' }).info({ status: 200 }, 'request')
  expect(last()).toEqual({
    timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    level: 'info',
    logger: 'perdure',
    message: 'request',
    request_id: 'r1',
    run_id: 'run-1',
    agent_id: 'agent-1',
    status: 200,
  })
})

test('a named child and its children say their name', () => {
  const { logger, last } = recorder()
  namedLogger(logger, 'llm').child({ run_id: 'run-1' }).warn('slow')
  expect(last()).toMatchObject({ logger: 'llm', level: 'warn', message: 'slow' })
})

test('an error is written with its message and stack', () => {
  const { logger, last } = recorder()
  logger.error({ err: new Error('broken') }, 'failed')
  expect(last().err).toMatchObject({ type: 'Error', message: 'broken', stack: expect.stringContaining('broken') })
})

test('credentials are left out, by the name of their field, by their look and by their value', () => {
  const { logger, lines } = recorder({ secrets: ['hunter"22'] })
  logger.info({ authorization: 'abc', req: { headers: { 'x-api-key': 'def' } }, provider: { apiKey: 'ghi' } }, 'fields')
  logger.info('sent Bearer abcdefghijkl and sk-proj-abcdefghijkl to postgres://nils:storm@db/x')
  logger.error({ err: new Error('wrong password hunter"22') }, 'failed')
  const text = lines.join('')
  for (const secret of ['"abc"', '"def"', '"ghi"', 'abcdefghijkl', 'storm', 'hunter'])
    expect(text).not.toContain(secret)
  expect(text).toContain('postgres://nils:[redacted]@db/x')
})

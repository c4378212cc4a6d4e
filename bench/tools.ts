import { performance } from 'node:perf_hooks'
import { deriveToolSchema } from '#tools/schema/derive-tool-schema.ts'
import { scriptedModel } from '../test/support/scripted-model.ts'
import { createTestAgent, createTestEngine, newRun } from '../test/support/test-agent.ts'
import { openTestDatabase } from '../test/support/test-database.ts'
import { percentile } from './load.ts'
import { concludeReport, note, report } from './replicas/report.ts'
import { measureRunners } from './tools/runners.ts'
import { measureServerUnderAttack } from './tools/under-attack.ts'

/**
 * The numbers of tools, against their bars: `npm run bench:tools`, or a part of it: `npm run bench:tools schema` (runners, attack,
 * schema, memory). Figures of one run on one machine, which other work slows down.
 */
const SCHEMAS = 400
const TURNS = 300
/** The turns go round them, so that none has a long context. */
const AGENTS = 20

const ms = (value: number): string => `${value.toFixed(2)} ms`

const PYTHON_TOOL = `from typing import Literal, Optional
from pydantic import BaseModel, Field

class Address(BaseModel):
    street: str = Field(description="Where the house is")
    city: Optional[str] = None

def order_pizza(size: Literal["small", "large"], toppings: list[str], address: Address, count: int = 1) -> str:
    """Order a pizza.

    Args:
        size: how large it is
        toppings: what is on it
        address: where it goes
        count: how many
    """
    return f"{count} {size}"
`
const TYPESCRIPT_TOOL = `interface Address { street: string; city?: string }
/** Order a pizza.
 * @param size - how large it is
 * @param toppings - what is on it
 * @param address - where it goes
 * @param count - how many
 */
export function orderPizza(size: 'small' | 'large', toppings: string[], address: Address, count: number = 1): string {
  return count + ' ' + size
}
`

async function measureSchemas(): Promise<void> {
  for (const [sourceType, sourceCode] of [
    ['python', PYTHON_TOOL],
    ['typescript', TYPESCRIPT_TOOL],
  ] as const) {
    await deriveToolSchema({ sourceType, sourceCode })
    const times: number[] = []
    for (let index = 0; index < SCHEMAS; index += 1) {
      const startedAt = performance.now()
      // another source each time: nothing is remembered
      await deriveToolSchema({
        sourceType,
        sourceCode: `${sourceCode}\n${sourceType === 'python' ? '#' : '//'} ${index}`,
      })
      times.push(performance.now() - startedAt)
    }
    const p50 = percentile(times, 0.5)
    report(`schema of a ${sourceType} tool, p50`, `${ms(p50)}, p99 ${ms(percentile(times, 0.99))}`, '≤ 2 ms', p50 <= 2)
  }
}

/** From the start of the call to its message, without the statements in between. */
async function measureMemoryTool(): Promise<void> {
  let statementMs = 0
  await using db = await openTestDatabase({
    onStatement: (_, durationMs) => {
      statementMs += durationMs
    },
  })
  const { registry } = scriptedModel(({ messages }, index) =>
    messages.at(-1)?.role === 'tool'
      ? { text: 'Ok.' }
      : {
          toolCalls: [
            { name: 'memory_replace', arguments: { label: 'persona', old_string: 'Ada', new_string: `Ada` } },
          ],
          text: `${index}`,
        },
  )
  const agents = await Promise.all(Array.from({ length: AGENTS }, () => createTestAgent(db, registry)))
  const engine = createTestEngine(db, registry)
  const times: number[] = []
  for (let index = 0; index < TURNS; index += 1) {
    const ended = Promise.withResolvers<void>()
    let startedAt = 0
    let statementsBefore = 0
    await engine.start(newRun(agents[index % AGENTS] ?? '', 'go'), (event) => {
      if (event.type === 'tool-start') [startedAt, statementsBefore] = [performance.now(), statementMs]
      if (event.type === 'message' && event.message.role === 'tool') {
        times.push(performance.now() - startedAt - (statementMs - statementsBefore))
      }
      if (event.type === 'run-end') ended.resolve()
    })
    await ended.promise
  }
  const warm = times.slice(TURNS / 3)
  const p50 = percentile(warm, 0.5)
  report(
    'memory tool in a turn, beyond its statements, p50',
    `${ms(p50)}, p99 ${ms(percentile(warm, 0.99))}`,
    '≤ 0.3 ms',
    p50 <= 0.3,
  )
}

const PARTS = {
  runners: measureRunners,
  attack: measureServerUnderAttack,
  schema: measureSchemas,
  memory: measureMemoryTool,
}

const wanted = process.argv.slice(2)
for (const [name, measure] of Object.entries(PARTS)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  note(`${name}…`)
  await measure()
}
process.exitCode = concludeReport()

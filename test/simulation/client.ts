import { setTimeout as sleep } from 'node:timers/promises'
import { DEFAULT_ORGANIZATION_ID } from '#platform/ids.ts'
import { newRun } from '../support/test-agent.ts'
import type { Chance } from './chance.ts'
import { StreamReader } from './stream-reader.ts'
import type { World } from './world.ts'

export interface SentMessage {
  text: string
  agentId: string
  runId: string
  sentAt: number
  acceptedAt: number | undefined
  outcome: 'unknown' | 'accepted'
  isCancelled: boolean
  readers: StreamReader[]
}

const MAX_TRIES = 3

/** Sends messages one after the other, through any process; reads the answers, loses connections, cancels. */
export async function runClient(world: World, number: number, maxMessages: number, sent: SentMessage[]): Promise<void> {
  const chance = world.chance.fork(`client ${number}`)
  const others: Promise<unknown>[] = []
  const count = 1 + chance.below(maxMessages)
  for (let index = 0; index < count; index += 1) {
    await chance.pause()
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const message = await send(world, chance, `s${world.seed}c${number}m${index}t${tries}`)
      if (message === undefined) continue
      sent.push(message)
      if (chance.happens(0.3)) others.push(followLater(world, chance.fork(`reader of ${message.text}`), message))
      if (chance.happens(0.2)) others.push(cancelLater(world, chance.fork(`cancel of ${message.text}`), message))
      if (message.outcome === 'accepted') {
        const [reader] = message.readers
        if (reader !== undefined && chance.happens(0.4)) await reader.done
        break
      }
      if (chance.happens(0.4)) break
    }
  }
  await Promise.all(others)
}

async function send(world: World, chance: Chance, text: string): Promise<SentMessage | undefined> {
  const { alive } = world
  if (alive.length === 0) {
    await sleep(2)
    return undefined
  }
  const process = chance.pick(alive)
  const agentId = chance.pick(world.agentIds)
  const run = newRun(agentId, `<${text}>`)
  const message: SentMessage = {
    text,
    agentId,
    runId: run.runId,
    sentAt: world.tick(),
    acceptedAt: undefined,
    outcome: 'unknown',
    isCancelled: false,
    readers: [],
  }
  const reader = chance.happens(0.7) ? new StreamReader(world, chance.fork(`reader ${text}`), run.runId) : undefined
  if (reader !== undefined) message.readers.push(reader)
  try {
    const started = await process.orGone(process.engine.start(run, reader?.listenFor(process)))
    if (started === undefined) world.violations.push(`${text}: its agent was not found`)
    message.acceptedAt = world.tick()
    message.outcome = 'accepted'
    reader?.accepted(started?.follower)
  } catch {
    reader?.abandon()
  }
  return message
}

async function followLater(world: World, chance: Chance, message: SentMessage): Promise<void> {
  await chance.pause(20)
  const [process] = world.alive
  if (message.outcome === 'accepted' && process !== undefined) {
    const reader = new StreamReader(world, chance, message.runId)
    message.readers.push(reader)
    reader.follow(chance.pick(world.alive))
  }
  for (let times = chance.below(4); times > 0; times -= 1) {
    await chance.pause(20)
    await chance.pick([...message.readers, undefined])?.disturb()
  }
}

async function cancelLater(world: World, chance: Chance, message: SentMessage): Promise<void> {
  await chance.pause(30)
  const { alive } = world
  if (alive.length === 0) return
  const process = chance.pick(alive)
  message.isCancelled = true
  world.counts.cancels += 1
  await process.orGone(process.engine.cancel(DEFAULT_ORGANIZATION_ID, message.runId)).catch(() => {})
}

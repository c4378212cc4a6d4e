import { randomBytes } from 'node:crypto'
import { ForbiddenAddress, type Resolve } from '#platform/guarded-lookup.ts'
import type { NetworkPolicy } from '#tools/sandbox/tool-runner.ts'
import { resolveForTool, type ToolNetworkOptions, toHostName } from './resolve-for-tool.ts'

/** More than any tool needs, and a bound for one that only wants to make work. */
const MAX_QUESTIONS_PER_CALL = 2000

/** What the code of a call asks, by way of the broker. */
export interface NetworkQuestion {
  token: string
  op: 'connect' | 'resolve'
  host: string
  port: number
}

export type NetworkAnswer = { addresses: string[] } | { error: 'forbidden' | 'unknown'; message: string }

interface CallNetwork {
  policy: NetworkPolicy
  /** Names by the addresses that they had when they were asked for. */
  names: Map<string, Set<string>>
  questions: number
}

/** The one place where it is decided which addresses the code of a call may connect to. */
export class ToolNetwork {
  readonly #options: ToolNetworkOptions
  readonly #calls = new Map<string, CallNetwork>()

  constructor(options: ToolNetworkOptions) {
    this.#options = options
  }

  /** A token for one call, until it is closed. */
  open(policy: NetworkPolicy): string {
    const token = randomBytes(16).toString('hex')
    this.#calls.set(token, { policy, names: new Map(), questions: 0 })
    return token
  }

  close(token: string): void {
    this.#calls.delete(token)
  }

  /**
   * Never throws.
   * @param lookUp for names, where the options have no `resolve`
   */
  async answer(question: NetworkQuestion, lookUp: Resolve): Promise<NetworkAnswer> {
    const call = this.#calls.get(question.token)
    if (call === undefined) return { error: 'forbidden', message: 'This call is over.' }
    call.questions += 1
    if (call.questions > MAX_QUESTIONS_PER_CALL) {
      return { error: 'forbidden', message: `A call may open ${MAX_QUESTIONS_PER_CALL} connections, no more.` }
    }
    try {
      return { addresses: await this.#resolve(call, question, this.#options.resolve ?? lookUp) }
    } catch (error) {
      if (error instanceof ForbiddenAddress) return { error: 'forbidden', message: error.message }
      return { error: 'unknown', message: error instanceof Error ? error.message : String(error) }
    }
  }

  async #resolve(call: CallNetwork, { op, host, port }: NetworkQuestion, resolve: Resolve): Promise<string[]> {
    const name = toHostName(host)
    const names = call.names.get(name)
    // code that asked for a name connects to its address: the rules are about the name
    if (op === 'connect' && names !== undefined) {
      const refusals: unknown[] = []
      for (const known of names) {
        try {
          // the policy alone is asked again: the address was checked when it was told
          await resolveForTool(call.policy, known, port, { ...this.#options, resolve: async () => [toAddress(name)] })
          return [name]
        } catch (error) {
          refusals.push(error)
        }
      }
      throw refusals[0]
    }
    const found = await resolveForTool(call.policy, host, op === 'connect' ? port : port || null, {
      ...this.#options,
      resolve,
    })
    const addresses = found.map(({ address }) => address)
    for (const address of addresses) {
      const known = call.names.get(address) ?? new Set()
      call.names.set(address, known.add(name))
    }
    return addresses
  }
}

const toAddress = (address: string) => ({ address, family: address.includes(':') ? 6 : 4 })

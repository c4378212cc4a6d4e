import { Letta } from '@letta-ai/letta-client'
import { APIResource } from '@letta-ai/letta-client/core/resource'

/** Methods of the client itself that are an operation of the API; the others build requests. */
const CLIENT_OPERATIONS = ['health']

/**
 * Every operation of the official client as the client itself has it: `agents.messages.create`. Walked, not written down, so that an
 * operation that a newer client brings is missed by the coverage test.
 */
export function listSdkOperations(client: Letta = new Letta({ apiKey: null, baseURL: 'http://localhost' })): string[] {
  return [...CLIENT_OPERATIONS, ...operationsOf(client, '')].sort()
}

function operationsOf(resource: object, prefix: string): string[] {
  return Object.entries(resource).flatMap(([name, value]) => {
    if (!(value instanceof APIResource)) return []
    const path = `${prefix}${name}`
    const methods = Object.getOwnPropertyNames(Object.getPrototypeOf(value)).filter(
      (method) => method !== 'constructor',
    )
    return [...methods.map((method) => `${path}.${method}`), ...operationsOf(value, `${path}.`)]
  })
}

/** The same client, which notes the operations that are called. */
export function recordOperations(client: Letta, called: Set<string>): Letta {
  return recording(client, '', called) as Letta
}

function recording(target: object, prefix: string, called: Set<string>): object {
  return new Proxy(target, {
    get(object, key) {
      const value: unknown = Reflect.get(object, key, object)
      const path = `${prefix}${String(key)}`
      if (value instanceof APIResource) return recording(value, `${path}.`, called)
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => {
        called.add(path)
        return Reflect.apply(value, object, args)
      }
    },
  })
}

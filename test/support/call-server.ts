import { expect } from 'vitest'

/** One request with a JSON body to a server in a process of its own, and its answer; any status but 2xx fails the test. */
export async function callServer<Body>(url: string, method: string, path: string, body?: object): Promise<Body> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  expect(response.ok, `${method} ${path} ${response.status}`).toBe(true)
  return (await response.json()) as Body
}

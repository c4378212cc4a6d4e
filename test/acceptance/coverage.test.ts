import { existsSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { compatibilityPage } from '../../scripts/compatibility-page.ts'
import { findSdkRoutes } from './support/find-routes.ts'
import { listSdkOperations } from './support/sdk-operations.ts'
import { listTestedOperations } from './support/tested-operations.ts'

const PAGE = new URL('../../docs/compatibility.md', import.meta.url)

it('every operation of the official client has an acceptance test', () => {
  const tested = listTestedOperations()
  expect(listSdkOperations().filter((name) => !tested.has(name))).toEqual([])
})

it('no acceptance test names an operation that the client does not have', () => {
  const known = new Set(listSdkOperations())
  expect([...listTestedOperations()].filter((name) => !known.has(name))).toEqual([])
})

it('docs/compatibility.md is up to date', async () => {
  expect(existsSync(PAGE) && readFileSync(PAGE, 'utf8'), 'run: npm run gen').toBe(await compatibilityPage())
})

it('the routes of the client are found by calling it', async () => {
  const routes = await findSdkRoutes()
  const routeOf = (operation: string) => routes.find((route) => route.operation === operation)
  expect(routeOf('agents.blocks.update')).toMatchObject({
    method: 'PATCH',
    path: '/v1/agents/{agent_id}/core-memory/blocks/{block_label}',
  })
  expect(routeOf('health')).toMatchObject({ method: 'GET', path: '/v1/health/' })
  expect(routeOf('folders.files.upload')).toMatchObject({ method: 'POST', path: '/v1/folders/{folder_id}/upload' })
  expect(routes.every(({ path }) => path.startsWith('/v1/') && !path.includes('undefined'))).toBe(true)
})

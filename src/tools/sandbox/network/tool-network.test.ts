import { describe, expect, test } from 'vitest'
import { ToolNetwork } from './tool-network.ts'

const ADDRESSES: Record<string, string[]> = {
  'api.example.org': ['93.184.215.14'],
  'sub.example.org': ['93.184.215.15', '2606:2800:220:1::1'],
  'inside.example.org': ['10.0.0.1'],
  'mixed.example.org': ['93.184.215.14', '127.0.0.1'],
  '2130706433': ['127.0.0.1'],
}
const resolve = async (name: string) => {
  const found = ADDRESSES[name]
  if (found === undefined) throw new Error(`getaddrinfo ENOTFOUND ${name}`)
  return found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
}

const never = () => Promise.reject(new Error('the options have a resolver'))

describe('what code may connect to', () => {
  const network = new ToolNetwork({ allowsPrivate: false, resolve })
  const ask = (token: string, op: 'connect' | 'resolve', host: string, port: number) =>
    network.answer({ token, op, host, port }, never)

  test('public: what is public, under all of its addresses', async () => {
    const token = network.open({ kind: 'public' })
    expect(await ask(token, 'connect', 'API.example.org.', 443)).toEqual({ addresses: ['93.184.215.14'] })
    expect(await ask(token, 'connect', '93.184.215.14', 443)).toEqual({ addresses: ['93.184.215.14'] })
    const refused = [
      'inside.example.org',
      'mixed.example.org',
      '127.0.0.1',
      '::1',
      '::ffff:127.0.0.1',
      '169.254.169.254',
      '0.0.0.0',
      '2130706433',
      'fd00::1',
    ]
    for (const host of refused) {
      expect([host, await ask(token, 'connect', host, 80)]).toEqual([
        host,
        { error: 'forbidden', message: expect.stringContaining('not on the public internet') },
      ])
      expect(await ask(token, 'resolve', host, 80)).toMatchObject({ error: 'forbidden' })
    }
    expect(await ask(token, 'resolve', 'nope.example.org', 80)).toMatchObject({ error: 'unknown' })
    for (const host of ['', 'a b', 'x'.repeat(300), 'a/b', 'a@b'])
      expect(await ask(token, 'connect', host, 80)).toMatchObject({ error: 'forbidden' })
  })

  test('hosts: those that are listed, by their port', async () => {
    const token = network.open({
      kind: 'hosts',
      hosts: [
        { host: 'api.example.org', port: 443 },
        { host: '*.example.org', port: 80 },
        { host: 'inside.example.org', port: null },
      ],
    })
    expect(await ask(token, 'connect', 'api.example.org', 443)).toHaveProperty('addresses')
    expect(await ask(token, 'connect', 'sub.example.org', 80)).toHaveProperty('addresses')
    expect(await ask(token, 'connect', 'sub.example.org', 443)).toEqual({
      error: 'forbidden',
      message: expect.stringMatching(/sub\.example\.org:443.*metadata_\.network/),
    })
    expect(await ask(token, 'connect', 'example.org', 80)).toMatchObject({ error: 'forbidden' })
    expect(await ask(token, 'connect', 'evilexample.org', 80)).toMatchObject({ error: 'forbidden' })
    // a tool cannot allow itself what is behind the server
    expect(await ask(token, 'connect', 'inside.example.org', 80)).toMatchObject({
      error: 'forbidden',
      message: expect.stringContaining('10.0.0.1'),
    })
  })

  test('an address that a listed name had, on the port of that name, and only in that call', async () => {
    const policy = { kind: 'hosts', hosts: [{ host: 'api.example.org', port: 443 }] } as const
    const token = network.open(policy)
    expect(await ask(token, 'connect', '93.184.215.14', 443)).toMatchObject({ error: 'forbidden' })
    expect(await ask(token, 'resolve', 'api.example.org', 0)).toEqual({ addresses: ['93.184.215.14'] })
    expect(await ask(token, 'connect', '93.184.215.14', 443)).toEqual({ addresses: ['93.184.215.14'] })
    expect(await ask(token, 'connect', '93.184.215.14', 80)).toMatchObject({ error: 'forbidden' })
    expect(await ask(network.open(policy), 'connect', '93.184.215.14', 443)).toMatchObject({ error: 'forbidden' })
  })

  test('nothing without network, with a token that is over, or after too many questions', async () => {
    expect(await ask(network.open({ kind: 'none' }), 'resolve', 'api.example.org', 0)).toMatchObject({
      error: 'forbidden',
    })
    const token = network.open({ kind: 'public' })
    for (let i = 0; i < 2000; i++) await ask(token, 'resolve', 'api.example.org', 0)
    expect(await ask(token, 'resolve', 'api.example.org', 0)).toMatchObject({
      error: 'forbidden',
      message: expect.stringContaining('2000'),
    })
    network.close(token)
    expect(await ask(token, 'resolve', 'api.example.org', 0)).toMatchObject({
      error: 'forbidden',
      message: 'This call is over.',
    })
  })

  test('what the operator allows', async () => {
    const open = new ToolNetwork({ allowsPrivate: true, resolve })
    expect(
      await open.answer({ token: open.open({ kind: 'public' }), op: 'connect', host: '127.0.0.1', port: 80 }, never),
    ).toEqual({ addresses: ['127.0.0.1'] })
  })
})

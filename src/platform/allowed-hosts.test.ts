import { expect, test } from 'vitest'
import { parseAllowedHosts } from './allowed-hosts.ts'

test('names, names below one, addresses and networks', () => {
  const hosts = parseAllowedHosts('mcp.internal, *.Example.org 10.1.0.0/16,127.0.0.1 [fd00::7] 2001:db8::/32')
  for (const name of ['mcp.internal', 'MCP.internal.', 'a.example.org', 'a.b.example.org']) {
    expect(hosts.hasName(name), name).toBe(true)
  }
  for (const name of ['internal', 'x.mcp.internal', 'example.org', 'badexample.org', '']) {
    expect(hosts.hasName(name), name).toBe(false)
  }
  for (const address of ['10.1.2.3', '127.0.0.1', 'fd00::7', '2001:db8::9']) {
    expect(hosts.hasAddress(address), address).toBe(true)
  }
  for (const address of ['10.2.0.1', '127.0.0.2', 'fd00::8', 'mcp.internal', '']) {
    expect(hosts.hasAddress(address), address).toBe(false)
  }
  expect(parseAllowedHosts('').hasName('x')).toBe(false)
})

test.each(['http://x', '10.0.0.0/33', 'a b!', '*', '10.0.0.0/8/8', 'x:80'])('%s is refused by name', (text) => {
  expect(() => parseAllowedHosts(text)).toThrow(/is no host/)
})

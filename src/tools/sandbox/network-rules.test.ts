import { describe, expect, it } from 'vitest'
import { parseNetworkPolicy } from './network-rules.ts'

describe('what a tool says of its network', () => {
  it('is what the operator has settled where it says nothing', () => {
    expect(parseNetworkPolicy(undefined, 'none')).toEqual({ kind: 'none' })
    expect(parseNetworkPolicy(null, 'public')).toEqual({ kind: 'public' })
  })

  it('is a word or a list of hosts', () => {
    expect(parseNetworkPolicy('public', 'none')).toEqual({ kind: 'public' })
    expect(parseNetworkPolicy('none', 'public')).toEqual({ kind: 'none' })
    expect(parseNetworkPolicy([], 'public')).toEqual({ kind: 'none' })
    expect(
      parseNetworkPolicy(['API.example.com', '*.example.org:443', '[2001:db8::1]:80', '10.0.0.1'], 'none'),
    ).toEqual({
      kind: 'hosts',
      hosts: [
        { host: 'api.example.com', port: null },
        { host: '*.example.org', port: 443 },
        { host: '[2001:db8::1]', port: 80 },
        { host: '10.0.0.1', port: null },
      ],
    })
  })

  it.each([
    'any',
    'https://example.com',
    ['https://example.com'],
    ['example.com/path'],
    ['example.com:0'],
    ['example.com:70000'],
    ['a b'],
    ['*'],
    ['**.example.com'],
    ['a.*.com'],
    [''],
    [5],
    { hosts: [] },
    7,
    Array.from({ length: 101 }, () => 'example.com'),
  ])('refuses %j', (network) => {
    expect(() => parseNetworkPolicy(network, 'none')).toThrow(/body\.metadata_\.network/)
  })
})

import { findProgram } from './debian-program.ts'
import { type LoadBalancer, startLoadBalancer } from './load-balancer.ts'
import type { Replica } from './replicas.ts'

/** The real HAProxy with `deploy/haproxy/haproxy.cfg` in front of three replicas. */
export async function startHaproxy(replicas: readonly Pick<Replica, 'port'>[]): Promise<LoadBalancer> {
  return startLoadBalancer({
    program: await findProgram('haproxy'),
    file: new URL('../../deploy/haproxy/haproxy.cfg', import.meta.url),
    replacements: (port) => [
      ['bind :80\n', `bind 127.0.0.1:${port}\n`],
      ...replicas.map(({ port: own }, index) => [` perdure-${index + 1}:8283\n`, ` 127.0.0.1:${own}\n`] as const),
    ],
    wrap: (text) => text,
    checkArguments: (file) => ['-c', '-f', file],
    startArguments: (file) => ['-db', '-f', file],
    stopSignal: 'SIGTERM',
  })
}

import { findProgram } from './debian-program.ts'
import { type LoadBalancer, startLoadBalancer } from './load-balancer.ts'
import type { Replica } from './replicas.ts'

/** The real nginx with `deploy/nginx/perdure.conf` in front of three replicas. */
export async function startNginx(replicas: readonly Pick<Replica, 'port'>[]): Promise<LoadBalancer> {
  const arguments_ = (file: string, folder: string) => ['-p', folder, '-c', file, '-e', 'stderr']
  return startLoadBalancer({
    program: await findProgram('nginx'),
    file: new URL('../../deploy/nginx/perdure.conf', import.meta.url),
    replacements: (port, folder) => [
      ['listen 80;', `listen 127.0.0.1:${port};`],
      ['access_log /var/log/nginx/perdure.log perdure;', `access_log ${folder}/access.log perdure;`],
      ...replicas.map(
        ({ port: own }, index) => [`server perdure-${index + 1}:8283 `, `server 127.0.0.1:${own} `] as const,
      ),
    ],
    wrap: (text, folder) =>
      [
        'daemon off;',
        // else its workers could not write to the folder of the test
        ...(process.getuid?.() === 0 ? ['user root;'] : []),
        // two processes, as in production, where what one knows of a dead replica the other must learn
        'worker_processes 2;',
        `pid ${folder}/nginx.pid;`,
        'events { worker_connections 4096; }',
        'http {',
        ...['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`),
        text,
        '}',
      ].join('\n'),
    checkArguments: (file, folder) => ['-t', ...arguments_(file, folder)],
    startArguments: arguments_,
    stopSignal: 'SIGTERM',
  })
}

import cluster from 'node:cluster'
import type { Command } from 'commander'
import { loadConfig } from '#config/config.ts'
import { addOptionFlags, readOptionFlags } from './option-flags.ts'

/** `perdure server`: runs until a signal stops it. */
export function registerServer(program: Command): void {
  const command = program.command('server').description('start the server')
  addOptionFlags(command).action(async () => {
    const config = loadConfig({ flags: readOptionFlags(command) })
    // loaded only now: `--help` and a wrong setting answer at once
    if (config.workers !== 1 && cluster.isPrimary) {
      const { runWorkers } = await import('./run-workers.ts')
      await runWorkers(config)
    } else {
      const { runServer } = await import('./run-server.ts')
      await runServer(config)
    }
  })
}

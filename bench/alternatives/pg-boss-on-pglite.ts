import { installPackages, loadPackage } from './packages.ts'

/** Does pg-boss run on the embedded database, and how fast? `node bench/alternatives/pg-boss-on-pglite.ts` */
interface Boss extends NodeJS.EventEmitter {
  start(): Promise<unknown>
  createQueue(name: string, options: object): Promise<void>
  send(name: string, data: object, options: object): Promise<string | null>
  fetch(name: string): Promise<{ id: string }[]>
  complete(name: string, id: string): Promise<unknown>
}
interface BossModule {
  PgBoss: new (options: object) => Boss
  fromPglite(database: object): object
}
const JOBS = 200

await installPackages()
const { PGlite } = loadPackage<{ PGlite: { create(): Promise<object> } }>('@electric-sql/pglite')
const { PgBoss, fromPglite } = loadPackage<BossModule>('pg-boss')
const boss = new PgBoss({ db: fromPglite(await PGlite.create()), backend: 'pglite' })
boss.on('error', console.error)
await boss.start()
await boss.createQueue('turns', { policy: 'key_strict_fifo' })

const perSecond = async (work: (index: number) => Promise<unknown>): Promise<string> => {
  const startedAt = performance.now()
  for (let index = 0; index < JOBS; index += 1) await work(index)
  return ((JOBS / (performance.now() - startedAt)) * 1000).toFixed(0)
}
console.log(`send: ${await perSecond((index) => boss.send('turns', { index }, { singletonKey: `thread-${index}` }))}/s`)
const takeOne = async () => {
  const [job] = await boss.fetch('turns')
  if (job === undefined) throw new Error('a job is missing')
  await boss.complete('turns', job.id)
}
console.log(`fetch and complete: ${await perSecond(takeOne)}/s`)
process.exit(0)

import { expect, test } from 'vitest'
import { DEFAULT_USER_ID, DEFAULT_ORGANIZATION_ID as ORGANIZATION } from '#platform/ids.ts'
import { statement } from '#store/db.ts'
import { seedTurn } from '../../test/support/seed.ts'
import { openTestDatabase, testEngine } from '../../test/support/test-database.ts'
import { insertPassage } from './insert-passage.ts'
import { modifyPassage } from './modify-passage.ts'

const actor = { organizationId: ORGANIZATION, userId: DEFAULT_USER_ID }
const countWaiting = statement(
  'test-count-waiting',
  `select count(*)::int as count from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
)
const readTags = statement(
  'test-read-tags',
  `select p.tags, array(select t.tag from passage_tags as t where t.passage_id = p.id order by t.tag) as listed from passages as p where p.id = $1`,
)

// the embedded database has one connection: nobody waits for a row there
test.skipIf(testEngine() === 'pglite')('tags that a duplicate adds while they are replaced', async () => {
  await using db = await openTestDatabase()
  const { agentId } = await seedTurn(db, ORGANIZATION)
  const passage = { text: 'Nils sails a blue boat.', tags: ['boat'] }
  const { id } = await insertPassage(db, actor, agentId, passage)
  let replacing: Promise<unknown> | undefined
  await db.transaction(async (tx) => {
    await insertPassage(tx, actor, agentId, { ...passage, tags: ['blue'] })
    replacing = modifyPassage(db, ORGANIZATION, id, { tags: ['sea'] }, { type: 'user', userId: actor.userId })
    await expect.poll(() => db.query(countWaiting)).toEqual([{ count: 1 }])
  })
  await replacing
  expect(await db.query(readTags, [id])).toEqual([{ tags: ['sea'], listed: ['sea'] }])
})

/** Ends `npm run test:postgres` with one line where there is no server to test on. */
if (!process.env.TEST_DATABASE_URL) {
  console.error(
    'TEST_DATABASE_URL is not set: it must name an empty PostgreSQL database with pgvector, such as postgresql://user:password@127.0.0.1:5432/perdure_test.',
  )
  process.exit(2)
}

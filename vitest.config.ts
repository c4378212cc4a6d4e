import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** What takes minutes begins first: else it begins when the others are done, and one worker alone is busy with it. */
const LONG = ['test/chaos/kill.test.ts', 'test/sandbox/pyodide-hostile.test.ts', 'test/http/upload-storage.test.ts']

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const index = LONG.findIndex((name) => moduleId.endsWith(name))
      return index === -1 ? LONG.length : index
    }
    return (await super.sort(files)).toSorted((a, b) => place(a) - place(b))
  }
}

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    sequence: { sequencer: LongestFirst },
    pool: 'forks',
    // files share what they import, and PGlite's compiled code: a third less time than a new process for each
    isolate: false,
    // each holds an embedded database of some 300 MB, and keeps a core busy; with a server more fit (`test:postgres`)
    maxWorkers: 2,
    // a slow machine that starts a database, not a slow test
    testTimeout: 60_000,
    expect: { poll: { timeout: 15_000 } },
    hookTimeout: 60_000,
    teardownTimeout: 10_000,
  },
})

import { fileURLToPath } from 'node:url'
import { ensureTemplate } from '#store/pglite-template.ts'

// Prepares the embedded database that a new one starts as a copy of; returns at once where it is prepared.
const root = fileURLToPath(new URL('../.cache', import.meta.url))
await ensureTemplate(root, (line) => console.log(line))

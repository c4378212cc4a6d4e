import { parentPort, workerData } from 'node:worker_threads'
import { htmlToMarkdown } from '#memory/files/parse/html-to-markdown.ts'

/** The thread in which one page of a stranger is read: it can be ended whatever the page is. */
export interface PageWork {
  html: string
  url: string
  /** More is not sent back. */
  maxCharacters: number
}

export interface PageReply {
  title: string
  markdown: string
  /** Characters of the whole. */
  length: number
}

const port = parentPort
if (port === null) throw new Error('page-worker.ts runs as a worker thread only')

const { html, url, maxCharacters } = workerData as PageWork
const { title, markdown } = htmlToMarkdown(html, url)
port.postMessage({ title, markdown: markdown.slice(0, maxCharacters), length: markdown.length } satisfies PageReply)

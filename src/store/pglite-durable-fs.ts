import { fsyncSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import type { PGlite } from '@electric-sql/pglite'
import { NodeFS } from '@electric-sql/pglite/nodefs'

interface FsNode {
  name: string
  parent: FsNode
  mount: { opts: { root: string } }
}

/** The parts of emscripten's NODEFS that are changed here; its own types know nothing of them. */
interface NodeFileSystem {
  stream_ops: { fsync?: (stream: { nfd?: number }) => number }
  node_ops: { rename: (node: FsNode, newParent: FsNode, newName: string) => void }
  realPath(node: FsNode): string
  tryFSOperation<Result>(operation: () => Result): Result
}

type EmscriptenOptions = Parameters<NodeFS['init']>[1]

/**
 * PGlite's directory on disk, made safe against a power cut: emscripten's NODEFS has no fsync (PostgreSQL's calls do nothing)
 * and its rename removes the target first. Works with `wal_sync_method=fsync` only, as emscripten's fdatasync is a stub.
 */
export class PgliteDurableFs extends NodeFS {
  override init(pg: PGlite, options: EmscriptenOptions): ReturnType<NodeFS['init']> {
    const makeDurable = (module: unknown) => {
      const nodefs = (module as { FS: { filesystems: { NODEFS: NodeFileSystem } } }).FS.filesystems.NODEFS
      nodefs.stream_ops.fsync = (stream) => {
        if (stream.nfd !== undefined) fsyncSync(stream.nfd)
        return 0
      }
      nodefs.node_ops.rename = (node, newParent, newName) => {
        nodefs.tryFSOperation(() => renameSync(nodefs.realPath(node), join(nodefs.realPath(newParent), newName)))
        node.name = newName
      }
    }
    return super.init(pg, { ...options, preRun: [...(options.preRun ?? []), makeDurable] } as EmscriptenOptions)
  }
}

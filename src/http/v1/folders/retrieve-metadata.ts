import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { listFolderStats } from '#store/folders/folder-reader.ts'
import type { FolderRoutes } from './folder-routes.ts'

const StatsSchema = Type.Object({
  total_sources: Type.Integer(),
  total_files: Type.Integer(),
  total_size: Type.Integer({ description: 'Bytes' }),
  sources: Type.Array(
    Type.Object({
      source_id: Type.String(),
      source_name: Type.String(),
      file_count: Type.Integer(),
      total_size: Type.Integer({ description: 'Bytes' }),
      files: Type.Array(Type.Object({ file_id: Type.String(), file_name: Type.String(), file_size: Type.Integer() })),
    }),
  ),
})

export function retrieveMetadata(app: App, context: Context, { base, tag, isLegacy }: FolderRoutes): void {
  app.get(
    `${base}/metadata`,
    {
      config: { permission: 'folders:read' },
      schema: {
        operationId: isLegacy ? 'get_sources_metadata' : 'retrieve_metadata',
        tags: [tag],
        summary: 'How many folders and files there are, and how large they are',
        querystring: Type.Object({
          include_detailed_per_source_metadata: Type.Boolean({
            default: false,
            description: 'Each folder, with its files',
          }),
        }),
        response: { 200: StatsSchema },
      },
    },
    async ({ actor, query }) => {
      const isDetailed = query.include_detailed_per_source_metadata
      const folders = await listFolderStats(context.db, actor.organizationId, isDetailed)
      const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0)
      return {
        total_sources: folders.length,
        total_files: sum(folders.map((folder) => folder.file_count)),
        total_size: sum(folders.map((folder) => folder.size_bytes)),
        sources: isDetailed ? folders.map(presentStats) : [],
      }
    },
  )
}

function presentStats({
  id,
  name,
  file_count,
  size_bytes,
  files,
}: Awaited<ReturnType<typeof listFolderStats>>[number]) {
  return {
    source_id: id,
    source_name: name,
    file_count,
    total_size: size_bytes,
    files: files.map((file) => ({ file_id: file.id, file_name: file.name, file_size: file.size_bytes })),
  }
}

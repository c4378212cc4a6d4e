/** An agent's folders under their present name and under the older one. */
export interface AgentFolderRoutes {
  base: '/v1/agents/:agent_id/folders' | '/v1/agents/:agent_id/sources'
  key: 'folder_id' | 'source_id'
  isLegacy: boolean
}

export const AGENT_FOLDER_ROUTES: readonly AgentFolderRoutes[] = [
  { base: '/v1/agents/:agent_id/folders', key: 'folder_id', isLegacy: false },
  { base: '/v1/agents/:agent_id/sources', key: 'source_id', isLegacy: true },
]

import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { attachCoreMemoryBlock } from './attach-core-memory-block.ts'
import { attachIdentityToAgent } from './attach-identity-to-agent.ts'
import { attachToolToAgent } from './attach-tool-to-agent.ts'
import { countAgents } from './count-agents.ts'
import { createAgent } from './create-agent.ts'
import { deleteAgent } from './delete-agent.ts'
import { detachCoreMemoryBlock } from './detach-core-memory-block.ts'
import { detachIdentityFromAgent } from './detach-identity-from-agent.ts'
import { detachToolFromAgent } from './detach-tool-from-agent.ts'
import { exportAgent } from './export-agent.ts'
import { exportAgentWithSkills } from './export-agent-with-skills.ts'
import { generateCompletion } from './generate-completion.ts'
import { getAgentVariables } from './get-agent-variables.ts'
import { importAgent } from './import-agent.ts'
import { listAgents } from './list-agents.ts'
import { listCoreMemoryBlocks } from './list-core-memory-blocks.ts'
import { listGroupsForAgent } from './list-groups-for-agent.ts'
import { listToolsForAgent } from './list-tools-for-agent.ts'
import { modifyAgent } from './modify-agent.ts'
import { modifyApprovalForTool } from './modify-approval-for-tool.ts'
import { modifyCoreMemoryBlock } from './modify-core-memory-block.ts'
import { recompileAgent } from './recompile-agent.ts'
import { retrieveAgent } from './retrieve-agent.ts'
import { retrieveAgentContextWindow } from './retrieve-agent-context-window.ts'
import { retrieveAgentMemory } from './retrieve-agent-memory.ts'
import { retrieveCoreMemoryBlock } from './retrieve-core-memory-block.ts'
import { runToolForAgent } from './run-tool-for-agent.ts'
import { countDeployedAgents } from './search/count-deployed-agents.ts'
import { searchDeployedAgents } from './search/search-deployed-agents.ts'

export function registerAgents(app: App, context: Context): void {
  // agents:read
  listAgents(app, context)
  countAgents(app, context)
  searchDeployedAgents(app, context)
  countDeployedAgents(app, context)
  retrieveAgent(app, context)
  retrieveAgentMemory(app, context)
  retrieveAgentContextWindow(app, context)
  getAgentVariables(app, context)
  exportAgent(app, context)
  exportAgentWithSkills(app, context)
  listCoreMemoryBlocks(app, context)
  retrieveCoreMemoryBlock(app, context)
  listToolsForAgent(app, context)
  listGroupsForAgent(app, context)

  // agents:write
  createAgent(app, context)
  importAgent(app, context)
  generateCompletion(app, context)
  modifyAgent(app, context)
  deleteAgent(app, context)
  modifyCoreMemoryBlock(app, context)
  attachCoreMemoryBlock(app, context)
  detachCoreMemoryBlock(app, context)
  attachToolToAgent(app, context)
  detachToolFromAgent(app, context)
  modifyApprovalForTool(app, context)
  recompileAgent(app, context)
  runToolForAgent(app, context)
  attachIdentityToAgent(app, context)
  detachIdentityFromAgent(app, context)
}

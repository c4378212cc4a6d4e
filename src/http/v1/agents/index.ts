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
import { listAgents } from './list-agents.ts'
import { listCoreMemoryBlocks } from './list-core-memory-blocks.ts'
import { listGroupsForAgent } from './list-groups-for-agent.ts'
import { listToolsForAgent } from './list-tools-for-agent.ts'
import { modifyAgent } from './modify-agent.ts'
import { modifyApprovalForTool } from './modify-approval-for-tool.ts'
import { modifyCoreMemoryBlock } from './modify-core-memory-block.ts'
import { retrieveAgent } from './retrieve-agent.ts'
import { retrieveAgentMemory } from './retrieve-agent-memory.ts'
import { retrieveCoreMemoryBlock } from './retrieve-core-memory-block.ts'

export function registerAgents(app: App, context: Context): void {
  // agents:read
  listAgents(app, context)
  countAgents(app, context)
  retrieveAgent(app, context)
  retrieveAgentMemory(app, context)
  listCoreMemoryBlocks(app, context)
  retrieveCoreMemoryBlock(app, context)
  listToolsForAgent(app, context)
  listGroupsForAgent(app, context)

  // agents:write
  createAgent(app, context)
  modifyAgent(app, context)
  deleteAgent(app, context)
  modifyCoreMemoryBlock(app, context)
  attachCoreMemoryBlock(app, context)
  detachCoreMemoryBlock(app, context)
  attachToolToAgent(app, context)
  detachToolFromAgent(app, context)
  modifyApprovalForTool(app, context)
  attachIdentityToAgent(app, context)
  detachIdentityFromAgent(app, context)
}

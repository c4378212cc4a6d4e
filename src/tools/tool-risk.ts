import { parseNetworkPolicy } from './sandbox/network-rules.ts'

/** What a tool can reach, for people who decide whether an agent may have it. */
export interface ToolRisk {
  /** `none`: only the agent's own memory · `low`: other agents, reading the web · `medium`: code or a service with secrets · `high`: the machine of the server. */
  level: 'none' | 'low' | 'medium' | 'high'
  /** `hosts`: those of the list alone; `default`: what the operator has settled for tools that say nothing (`PERDURE_TOOL_NETWORK`). */
  network: 'none' | 'hosts' | 'public' | 'default'
  hosts: string[]
  /** It is given variables of the sandbox and secrets of the agent. */
  secrets: boolean
  /** It is a program on the machine of the server, or runs code there, if only in a sandbox. */
  runs_code: boolean
  /** It is outside of the sandbox of tools. */
  host_access: boolean
}

export interface RiskyTool {
  name: string
  tool_type: string
  metadata: Record<string, unknown> | null
  /** Of the MCP server that it belongs to. */
  mcp_server_type: string | null
}

const NOTHING: ToolRisk = {
  level: 'none',
  network: 'none',
  hosts: [],
  secrets: false,
  runs_code: false,
  host_access: false,
}

const CODE: Partial<ToolRisk> = { level: 'medium', network: 'default', secrets: true, runs_code: true }
const OF_BUILTIN: Readonly<Record<string, Partial<ToolRisk>>> = {
  run_code: CODE,
  run_code_with_tools: CODE,
  web_search: { level: 'low', network: 'public', secrets: true },
  fetch_webpage: { level: 'low', network: 'public' },
  send_message_to_agent_and_wait_for_reply: { level: 'low' },
  send_message_to_agents_matching_tags: { level: 'low' },
  send_message_to_agent_async: { level: 'low' },
}

/** The risk of a tool, as far as it shows from what is stored of it. */
export function riskOf(tool: RiskyTool): ToolRisk {
  if (tool.tool_type === 'custom') return riskOfCode(tool)
  if (tool.tool_type.startsWith('external_')) {
    const isProgram = tool.mcp_server_type === 'stdio'
    return {
      ...NOTHING,
      level: isProgram ? 'high' : 'medium',
      network: 'public',
      secrets: true,
      runs_code: isProgram,
      host_access: isProgram,
    }
  }
  return { ...NOTHING, ...OF_BUILTIN[tool.name] }
}

function riskOfCode({ metadata }: RiskyTool): ToolRisk {
  const code = { ...NOTHING, ...CODE }
  if (metadata?.network === undefined || metadata.network === null) return code
  const policy = parseStored(metadata.network)
  if (policy.kind !== 'hosts')
    return { ...code, network: policy.kind, level: policy.kind === 'none' ? 'low' : 'medium' }
  const hosts = policy.hosts.map(({ host, port }) => (port === null ? host : `${host}:${port}`))
  return { ...code, network: 'hosts', hosts }
}

/** Tools of agent files may have anything there; what cannot be read is not allowed. */
function parseStored(network: unknown) {
  try {
    return parseNetworkPolicy(network, 'none')
  } catch {
    return { kind: 'none' } as const
  }
}

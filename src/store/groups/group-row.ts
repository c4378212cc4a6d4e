export const MANAGER_TYPES = ['round_robin', 'supervisor', 'dynamic', 'sleeptime', 'voice_sleeptime'] as const
export type ManagerType = (typeof MANAGER_TYPES)[number]

/** What the kinds of managers know; each has some of it. */
export interface GroupManager {
  manager_type: ManagerType
  manager_agent_id: string | null
  termination_token: string | null
  max_turns: number | null
  sleeptime_agent_frequency: number | null
  max_message_buffer_length: number | null
  min_message_buffer_length: number | null
}

/** A group as read. */
export interface GroupRow extends GroupManager {
  id: string
  project_id: string | null
  description: string
  turns_counter: number | null
  last_processed_message_id: string | null
  template_id: string | null
  base_template_id: string | null
  deployment_id: string | null
  hidden: boolean | null
  created_at: Date
  /** Members, in order; the manager is none of them. */
  agent_ids: string[]
  shared_block_ids: string[]
}

const COLUMN_NAMES = [
  'id',
  'project_id',
  'manager_type',
  'description',
  'manager_agent_id',
  'termination_token',
  'max_turns',
  'sleeptime_agent_frequency',
  'turns_counter',
  'last_processed_message_id',
  'max_message_buffer_length',
  'min_message_buffer_length',
  'template_id',
  'base_template_id',
  'deployment_id',
  'hidden',
  'created_at',
]

/** The columns of `GroupRow`, of the table's alias in the statement. */
export const groupColumns = (alias: string): string =>
  `${COLUMN_NAMES.map((name) => `${alias}.${name}`).join(', ')},
    array(select ga.agent_id from group_agents as ga where ga.organization_id = ${alias}.organization_id
      and ga.group_id = ${alias}.id order by ga.position, ga.agent_id) as agent_ids,
    array(select gb.block_id from group_blocks as gb where gb.organization_id = ${alias}.organization_id
      and gb.group_id = ${alias}.id order by gb.position, gb.block_id) as shared_block_ids`

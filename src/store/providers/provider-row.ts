import type { ProvidersTable } from '#store/tables.ts'

const COLUMN_NAMES = [
  'id',
  'name',
  'provider_type',
  'base_url',
  'region',
  'api_version',
  'api_key',
  'access_key',
  'last_synced',
  'created_at',
  'updated_at',
] as const

/** A tenant's provider as read; its keys are sealed. */
export type ProviderRow = Pick<ProvidersTable, (typeof COLUMN_NAMES)[number]>

/** What a client may say of a provider; keys are sealed. */
export type ProviderFields = Pick<
  ProvidersTable,
  'provider_type' | 'base_url' | 'region' | 'api_version' | 'api_key' | 'access_key'
>

export const providerColumns = (alias: string): string => COLUMN_NAMES.map((name) => `${alias}.${name}`).join(', ')

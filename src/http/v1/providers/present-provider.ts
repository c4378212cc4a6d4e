import { presentTime } from '#http/wire/nullable.ts'
import type { ProviderRow } from '#store/providers/provider-row.ts'
import type { ProviderWire } from './provider-schema.ts'

export function presentProvider(row: ProviderRow): ProviderWire {
  return {
    id: row.id,
    name: row.name,
    provider_type: row.provider_type,
    provider_category: 'byok',
    base_url: row.base_url,
    region: row.region,
    api_version: row.api_version,
    api_key: null,
    access_key: null,
    api_key_enc: null,
    access_key_enc: null,
    updated_at: presentTime(row.updated_at),
    last_synced: presentTime(row.last_synced),
  }
}

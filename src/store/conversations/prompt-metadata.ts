/**
 * The volatile part of a system prompt, frozen when the prompt was compiled and stored with it: two compilations with the
 * same metadata and unchanged memory give the same bytes, so that the provider's prompt cache keeps hitting.
 */
export interface PromptMetadata {
  /** ISO 8601. */
  compiled_at: string
  /** Messages of the agent that are not in context. */
  recall_count: number
  archival_count: number
  archival_tags: string[]
}

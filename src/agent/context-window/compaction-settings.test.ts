import { expect, it } from 'vitest'
import { compactionSettingsOf } from './compaction-settings.ts'

const DEFAULTS = compactionSettingsOf()

it('has the defaults of V1', () => {
  expect(DEFAULTS).toEqual({
    mode: 'sliding_window',
    model: null,
    model_settings: null,
    prompt: null,
    prompt_acknowledgement: false,
    clip_chars: 50_000,
    sliding_window_percentage: 0.3,
  })
})

it('lets later settings win, field by field; null is a choice for clip_chars only', () => {
  const agent = { mode: 'all', clip_chars: 100, prompt: 'Names.' }
  expect(compactionSettingsOf(agent, { mode: null, clip_chars: null, prompt: undefined })).toEqual({
    ...DEFAULTS,
    mode: 'all',
    clip_chars: null,
    prompt: 'Names.',
  })
  expect(compactionSettingsOf(agent, { mode: 'sliding_window' }).mode).toBe('sliding_window')
})

it('takes what means nothing as not set, and leaves out what it does not know', () => {
  const broken = {
    mode: 'none',
    clip_chars: -1,
    sliding_window_percentage: '0.3',
    model: '',
    model_settings: [],
    other: 1,
  }
  expect(compactionSettingsOf(broken)).toEqual(DEFAULTS)
})

export interface CachedLoadOptions<Value> {
  /** Must not throw; `isGood` says whether its result is worth keeping for long. */
  load: () => Promise<Value>
  isGood: (value: Value) => boolean
  /** How long (ms) a good result counts, and how long a bad one. */
  keepMs: number
  keepBadMs: number
}

/** A value that is loaded when it is first wanted, and again when it is too old. Calls at the same time share one load. */
export interface CachedLoad<Value> {
  get(): Promise<Value>
  /** What was loaded last, however old; a load begins in the background where it is too old. */
  peek(): Value | undefined
}

export function cachedLoad<Value>({ load, isGood, keepMs, keepBadMs }: CachedLoadOptions<Value>): CachedLoad<Value> {
  let loaded: { value: Value; until: number } | undefined
  let loading: Promise<Value> | undefined

  const isFresh = (): boolean => loaded !== undefined && performance.now() < loaded.until
  const start = (): Promise<Value> => {
    loading ??= load()
      .then((value) => {
        loaded = { value, until: performance.now() + (isGood(value) ? keepMs : keepBadMs) }
        return value
      })
      .finally(() => {
        loading = undefined
      })
    return loading
  }

  return {
    get: () => (loaded !== undefined && isFresh() ? Promise.resolve(loaded.value) : start()),
    peek: () => {
      if (!isFresh()) void start()
      return loaded?.value
    },
  }
}

/** Creates so many agents, a few at a time. */
export async function createAgents(url: string, count: number): Promise<string[]> {
  const ids: string[] = []
  let left = count
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      while (left > 0) {
        left -= 1
        ids.push(await createAgent(url))
      }
    }),
  )
  return ids
}

async function createAgent(url: string): Promise<string> {
  const response = await fetch(`${url}/v1/agents/`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'openai/gpt-4o-mini',
      memory_blocks: [
        { label: 'human', value: '' },
        { label: 'persona', value: 'I am Ada.' },
      ],
    }),
  })
  if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`)
  return ((await response.json()) as { id: string }).id
}

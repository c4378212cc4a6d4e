/** What the examples are written for. */
export interface SnippetInput {
  url: string
  model: string
  needsKey: boolean
}

const SAYING = 'My name is Nils and I sail.'
const PERSONA = 'I am Ada.'

/** A shell script that makes an agent, tells it something and reads what it keeps; needs curl and grep alone. */
export function curlSnippet({ url, model, needsKey }: SnippetInput): string {
  const key = needsKey ? ' -H "authorization: Bearer $PERDURE_API_KEY"' : ''
  const json = ` -H 'content-type: application/json'`
  const blocks = [
    { label: 'human', value: '' },
    { label: 'persona', value: PERSONA },
  ]
  return `AGENT=$(curl -s ${url}/v1/agents/${key}${json} \\
  -d ${quoteForShell(JSON.stringify({ model, memory_blocks: blocks }))} | grep -o 'agent-[0-9a-f-]*' | head -n 1)

curl -s "${url}/v1/agents/$AGENT/messages"${key}${json} \\
  -d ${quoteForShell(JSON.stringify({ input: SAYING }))}

curl -s "${url}/v1/agents/$AGENT/core-memory/blocks/human"${key}
`
}

export function typescriptSnippet({ url, model, needsKey }: SnippetInput): string {
  const key = needsKey ? ', apiKey: process.env.PERDURE_API_KEY' : ''
  return `import Letta from '@letta-ai/letta-client'

const client = new Letta({ baseURL: ${JSON.stringify(url)}${key} })
const agent = await client.agents.create({
  model: ${JSON.stringify(model)},
  memory_blocks: [{ label: 'human', value: '' }, { label: 'persona', value: '${PERSONA}' }],
})
const events = await client.agents.messages.stream(agent.id, { input: '${SAYING}', stream_tokens: true })
for await (const event of events) {
  if (event.message_type === 'assistant_message') process.stdout.write(String(event.content))
}
const human = await client.agents.blocks.retrieve('human', { agent_id: agent.id })
console.log(\`\\nIt keeps: \${human.value}\`)
`
}

export function pythonSnippet({ url, model, needsKey }: SnippetInput): string {
  const key = needsKey ? ', api_key=os.environ["PERDURE_API_KEY"]' : ''
  return `${needsKey ? 'import os\n\n' : ''}from letta_client import Letta

client = Letta(base_url=${JSON.stringify(url)}${key})
agent = client.agents.create(
    model=${JSON.stringify(model)},
    memory_blocks=[{"label": "human", "value": ""}, {"label": "persona", "value": "${PERSONA}"}],
)
response = client.agents.messages.create(agent.id, input="${SAYING}")
for message in response.messages:
    if message.message_type == "assistant_message":
        print(message.content)
human = client.agents.blocks.retrieve("human", agent_id=agent.id)
print("It keeps:", human.value)
`
}

/** One word of a POSIX shell. */
const quoteForShell = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

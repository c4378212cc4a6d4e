import Type from 'typebox'
import { Nullable, StringEnum } from '#http/wire/nullable.ts'

/** Any text: as in V1, an id of another form is simply not found. */
export const McpServerId = Type.Object({ mcp_server_id: Type.String() })

const Texts = Type.Unsafe<Record<string, string>>({ type: 'object', additionalProperties: { type: 'string' } })
const Optional = {
  text: (description: string) => Type.Optional(Nullable(Type.String({ description }))),
  texts: (description: string) =>
    Type.Optional(Nullable(Type.Unsafe<Record<string, string>>({ ...Texts, description }))),
}

/** Fields of a configuration besides its type; which of them count goes by the type. */
export const configFields = {
  server_url: Optional.text(
    'Of sse and streamable_http: http or https, on the public internet unless the operator allows more',
  ),
  auth_header: Optional.text('Header that carries the token; Authorization by default'),
  auth_token: Optional.text('Stored encrypted and never shown; the mask that is shown keeps the one that is stored'),
  custom_headers: Optional.texts('Further headers; their values are stored encrypted and never shown'),
  command: Optional.text('Of stdio: the program'),
  args: Type.Optional(Nullable(Type.Array(Type.String(), { description: 'Of stdio: its arguments' }))),
  env: Optional.texts('Of stdio: its environment; the values are stored encrypted and never shown'),
}

const Config = Type.Object({ mcp_server_type: StringEnum(['stdio', 'sse', 'streamable_http']), ...configFields })
export const ServerName = Type.String({ minLength: 1, maxLength: 255 })

export const CreateMcpServerSchema = Type.Object({ server_name: ServerName, config: Config })

/** A field of the configuration that is left out stays, null clears it; its type must be named. */
export const UpdateMcpServerSchema = Type.Object({ server_name: Type.Optional(Nullable(ServerName)), config: Config })

const AddressFields = {
  server_url: Type.String(),
  auth_header: Nullable(Type.String()),
  auth_token: Nullable(Type.String({ description: 'A mask where there is a token' })),
  custom_headers: Nullable(Texts),
}
const ProgramFields = {
  command: Type.String(),
  args: Type.Array(Type.String()),
  env: Nullable(Texts),
}

/** A server as sent. Secrets are masked. */
export const McpServerSchema = Type.Union([
  Type.Object({
    id: Type.String(),
    server_name: Type.String(),
    mcp_server_type: StringEnum(['sse', 'streamable_http']),
    ...AddressFields,
  }),
  Type.Object({
    id: Type.String(),
    server_name: Type.String(),
    mcp_server_type: StringEnum(['stdio']),
    ...ProgramFields,
  }),
])

/** The same in the older form, which goes by names. */
export const McpServerConfigSchema = Type.Union([
  Type.Object({ server_name: Type.String(), type: StringEnum(['sse', 'streamable_http']), ...AddressFields }),
  Type.Object({ server_name: Type.String(), type: StringEnum(['stdio']), ...ProgramFields }),
])

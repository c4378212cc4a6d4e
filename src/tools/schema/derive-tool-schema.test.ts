import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { deriveToolSchema } from './derive-tool-schema.ts'

const python = (sourceCode: string) => deriveToolSchema({ sourceType: 'python', sourceCode })
const typescript = (sourceCode: string) => deriveToolSchema({ sourceType: 'typescript', sourceCode })

/** The schema of the one parameter `x`, without its description, and whether it is required. */
async function ofAnnotation(annotation: string, before = '', value = '') {
  const source = `${before}\ndef f(x: ${annotation}${value}):\n    """Does.\n\n    Args:\n        x: it\n    """\n`
  const { parameters } = await python(source)
  const { description, ...schema } = (parameters.properties as { x: Record<string, unknown> }).x
  expect(description).toBe('it')
  return { schema, isRequired: (parameters.required as string[]).includes('x') }
}

const ROLL = `
import random
from typing import Literal

LIMIT = 3

def helper(a):
    return a

class Unused:
    pass

async def roll_dice(sides: int, mode: Literal["sum", "max"] = "sum", *, agent_state: "AgentState", client=None) -> str:
    '''
    Roll a die, and say what it showed.

    It is fair.

    Args:
        sides (int): How many sides it has,
            at least two: \`2\`
        mode (str, optional): What to do:
            - sum
            - max
        agent_state: hidden

    Returns:
        str: what it showed
    '''
    return str(random.randint(1, sides))
`

describe('Python', () => {
  it('reads the last function with its docstring', async () => {
    expect(await python(ROLL)).toEqual({
      name: 'roll_dice',
      description: 'Roll a die, and say what it showed.\n\nIt is fair.',
      parameters: {
        type: 'object',
        properties: {
          sides: { type: 'integer', description: 'How many sides it has, at least two: `2`' },
          mode: { type: 'string', enum: ['sum', 'max'], description: 'What to do:\n- sum\n- max' },
        },
        required: ['sides'],
      },
    })
  })

  const string = { type: 'string' }
  const integer = { type: 'integer' }
  const none = { type: 'null' }
  it.each<[string, object]>([
    ['str', string],
    ['"str"', string],
    ['int', integer],
    ['float', { type: 'number' }],
    ['bool', { type: 'boolean' }],
    ['None', none],
    ['Any', {}],
    ['dict', { type: 'object' }],
    ['Dict[str, int]', { type: 'object', additionalProperties: integer }],
    ['dict[str, list[int]]', { type: 'object', additionalProperties: { type: 'array', items: integer } }],
    ['list', { type: 'array', items: {} }],
    ['List[List[str]]', { type: 'array', items: { type: 'array', items: string } }],
    ['typing.List[str]', { type: 'array', items: string }],
    ['Sequence["str"]', { type: 'array', items: string }],
    ['Optional[int]', { anyOf: [integer, none] }],
    ['int | None', { anyOf: [integer, none] }],
    ['None | int | str', { anyOf: [integer, string, none] }],
    ['Union[int, str]', { anyOf: [integer, string] }],
    ['Union[int, Optional[str], int]', { anyOf: [integer, string, none] }],
    ['Optional[Union[int, int]]', { anyOf: [integer, none] }],
    ['list[int | None]', { type: 'array', items: { anyOf: [integer, none] } }],
    ['Literal["a", "b", "a"]', { type: 'string', enum: ['a', 'b'] }],
    ['Literal[1, -2]', { type: 'integer', enum: [1, -2] }],
    ['Literal["a", 1, True, None]', { enum: ['a', 1, true, null] }],
    [
      'Tuple[int, str]',
      { type: 'array', prefixItems: [integer, string], items: { anyOf: [integer, string] }, minItems: 2, maxItems: 2 },
    ],
    ['tuple[int, ...]', { type: 'array', items: integer }],
    ['Annotated[int, "more", Field(ge=1, lt=9)]', { ...integer, minimum: 1, exclusiveMaximum: 9 }],
    ['Annotated[list[str], Field(min_length=1)]', { type: 'array', items: string, minItems: 1 }],
  ])('takes %s', async (annotation, schema) => {
    expect(await ofAnnotation(annotation)).toEqual({ schema, isRequired: true })
  })

  it('takes a default for what need not be given, and None for nothing', async () => {
    expect(await ofAnnotation('int', '', ' = 3')).toEqual({ schema: integer, isRequired: false })
    expect(await ofAnnotation('Optional[int]', '', ' = None')).toEqual({ schema: integer, isRequired: false })
    expect(await ofAnnotation('int | str | None', '', ' = None')).toEqual({
      schema: { anyOf: [integer, string] },
      isRequired: false,
    })
    expect(await ofAnnotation('Optional[int]', '', ' = 10')).toEqual({
      schema: { anyOf: [integer, none] },
      isRequired: false,
    })
    expect(await ofAnnotation('str', '', ' = None')).toEqual({ schema: string, isRequired: false })
  })

  it('takes names of types and of imports', async () => {
    const before =
      'from typing import List as L, Optional as O\nMode = Literal["a"]\ntype Many = L[Mode]\nOne: TypeAlias = str'
    expect((await ofAnnotation('O[Many]', before)).schema).toEqual({
      anyOf: [{ type: 'array', items: { type: 'string', enum: ['a'] } }, none],
    })
    expect((await ofAnnotation('One', before)).schema).toEqual(string)
  })

  it('takes enums', async () => {
    const before = `
class Color(str, Enum):
    """Of the light."""
    RED = "red"
    GREEN = "green"
class Level(IntEnum):
    LOW = auto()
    HIGH = auto()
class Kind(StrEnum):
    BIG = auto()
    _private = 3
    def m(self): ...
`
    expect((await ofAnnotation('Color', before)).schema).toEqual({ type: 'string', enum: ['red', 'green'] })
    expect((await ofAnnotation('Level', before)).schema).toEqual({ type: 'integer', enum: [1, 2] })
    expect((await ofAnnotation('list[Kind]', before)).schema).toEqual({
      type: 'array',
      items: { type: 'string', enum: ['big'] },
    })
  })

  it('takes pydantic models with their fields, and typed dicts', async () => {
    const before = `
class Base(BaseModel):
    """What all have.

    Attributes:
        id: the number
    """
    model_config = ConfigDict(extra="forbid")
    id: int
class Item(Base):
    name: str = Field(..., description="its name", min_length=2, pattern=r"^a")
    price: float = Field(default=0.5, ge=0, description="in EUR")
    tags: List[str] = Field(default_factory=list, max_length=3)
    note: Optional[str] = None
    maybe: Optional[str]
    kind: Literal["a"] = "a"
    other: "Other" = Field(alias="oTher")
    _hidden: int = 3
    registry: ClassVar[dict] = {}
class Other(pydantic.BaseModel):
    x: int
class Shape(TypedDict, total=False):
    a: Required[int]
    b: str
`
    expect((await ofAnnotation('Item', before)).schema).toEqual({
      type: 'object',
      properties: {
        id: { type: 'integer', description: 'the number' },
        name: { type: 'string', description: 'its name', minLength: 2, pattern: '^a' },
        price: { type: 'number', minimum: 0, description: 'in EUR' },
        tags: { type: 'array', items: string, maxItems: 3 },
        note: string,
        maybe: { anyOf: [string, none] },
        kind: { type: 'string', enum: ['a'] },
        oTher: { type: 'object', properties: { x: integer }, required: ['x'] },
      },
      required: ['id', 'name', 'maybe', 'oTher'],
    })
    expect((await ofAnnotation('Shape', before)).schema).toEqual({
      type: 'object',
      properties: { a: integer, b: string },
      required: ['a'],
    })
  })

  it('takes descriptions of Annotated and of reStructuredText, tabs, CRLF and form feeds', async () => {
    const annotated = await python('def f(x: Annotated[int, "how many"]):\n  "Does."\n')
    expect(annotated.parameters.properties).toEqual({ x: { type: 'integer', description: 'how many' } })
    const rest = await python(
      '\f\r\ndef f(x: int, y: str):\r\n\t"""Does.\r\n\r\n\t:param int x: how\r\n\t\tmany\r\n\t:param y: what\r\n\t:returns: no\r\n\t"""\r\n',
    )
    expect(rest.parameters.properties).toEqual({
      x: { type: 'integer', description: 'how many' },
      y: { type: 'string', description: 'what' },
    })
    expect(rest.description).toBe('Does.')
  })

  it('takes the name for the summary of a docstring that tells of parameters alone', async () => {
    const source = 'def print_tool(message: str):\n    """\n    Args:\n        message (str): The message.\n    """'
    expect(await python(source)).toMatchObject({ name: 'print_tool', description: 'print_tool' })
    expect(await typescript('/** @param a - it */ export function f(a: string) {}')).toMatchObject({ description: 'f' })
  })

  it("takes a class with a method run, as the Python client's BaseTool sends it", async () => {
    const source = `
class Inventory(BaseTool):
    name: str = "manage_inventory"
    description: str = "Keeps count."
    def run(self, amount: int) -> bool:
        """Runs.

        Args:
            amount: how many
        """
`
    expect(await python(source)).toMatchObject({
      name: 'manage_inventory',
      description: 'Keeps count.',
      parameters: { properties: { amount: { type: 'integer' } } },
    })
  })

  it.each<[string, string, RegExp]>([
    ['no Python', 'def f(:\n', /not valid Python: .*line 1/],
    ['no function', 'x = 1', /no function at its top level/],
    ['no docstring', 'def f(): pass', /'f' has no docstring/],
    ['an empty docstring', 'def f():\n  """  """', /'f' has no docstring/],
    ['an f-string', 'def f():\n  f"""Does."""', /'f' has no docstring/],
    ['no type', 'def f(x):\n  """D.\n\n  Args:\n    x: it"""', /parameter 'x' of 'f' has no type. Write it: x: str/],
    ['no description', 'def f(x: int):\n  """D."""', /parameter 'x' of 'f' is not described/],
    [
      'an empty description',
      'def f(x: int):\n  """D.\n\n  Args:\n    x:\n    y: z"""',
      /parameter 'x' of 'f' is not described/,
    ],
    ['arguments without names', 'def f(*args: int):\n  """D."""', /'\*args' of 'f'.*Write each argument/],
    ['any arguments', 'def f(**kw: int):\n  """D."""', /'\*\*kw' of 'f'/],
    ['twice a name', 'def f(x: int, x: int):\n  """D.\n\n  Args:\n    x: it"""', /two parameters 'x'/],
  ])('refuses %s', async (_, source, message) => {
    await expect(python(source)).rejects.toThrow(message)
    await expect(python(source)).rejects.toMatchObject({ kind: 'invalid_argument' })
    await expect(python(source)).rejects.toThrow(/^Failed to derive json schema: /)
  })

  it.each<[string, RegExp]>([
    ['datetime', /parameter 'x' of 'f' has the type 'datetime'.*ISO 8601/],
    ['Thing', /the type 'Thing'.*BaseModel/],
    ['set[int]', /'set\[…\]'.*Use list/],
    ['Callable[[int], str]', /Callable/],
    ['Dict[int, str]', /keys are no texts.*dict\[str/],
    ['Dict[str]', /does not name two types/],
    ['Literal[b"x"]', /Literal with something that is no constant/],
    ['3', /the value 3 for a type/],
    ['"not a type!"', /for a type/],
    ['f(1)', /an annotation that is no type/],
    ['Plain', /the class 'Plain'.*BaseModel/],
    ['Tree', /contains itself: 'Tree'/],
    ['Loop', /contains itself: 'Loop'/],
    ['Bad', /member 'A' is no constant/],
    ['Model', /field 'when' of 'Model' \(parameter 'x' of 'f'\) has the type 'datetime'/],
    ['constructor', /the type 'constructor'/],
  ])('refuses the type %s with the way out', async (annotation, message) => {
    const before = `
class Plain: pass
class Tree(BaseModel):
    children: list["Tree"]
Loop = list["Loop"]
class Bad(Enum):
    A = f()
class Model(BaseModel):
    when: datetime
`
    await expect(ofAnnotation(annotation, before)).rejects.toThrow(message)
  })

  it('refuses what would unfold without end, and what is too long or too deep', async () => {
    const doubling = Array.from({ length: 30 }, (_, n) => `T${n + 1} = Tuple[T${n}, T${n}]`).join('\n')
    await expect(ofAnnotation('T30', `T0 = int\n${doubling}`)).rejects.toThrow(/more than 2000 types/)
    await expect(python(`x = 1\n${'#'.repeat(100_001)}`)).rejects.toThrow(/at most 100000/)
    await expect(ofAnnotation(`${'list['.repeat(5000)}int${']'.repeat(5000)}`)).rejects.toThrow(/nested too deeply/)
    await expect(ofAnnotation(Array(20_000).fill('int').join(' | '))).rejects.toThrow(/Failed to derive/)
  })
})

const WEATHER = `
import { z } from 'zod'
type Unit = 'c' | 'f'
interface Place { /** Town or village. */ city: string; zip?: string | null }
interface Spot extends Place { readonly at: [number, number] }
enum Detail { Low = 'low', High = 'high' }
const cache = new Map<string, { a: number }>() // not a type
const re = /[}"'/]/g
export function helper(x: number): number { return x / 2 / 3 }

/**
 * Say what the weather is,
 * anywhere.
 *
 * @param spot - Where,
 *   exactly
 * @param {string} unit how to count
 * @param days [for how long]
 * @returns words
 */
export async function getWeather(
  spot: Spot,
  unit: Unit = 'c', // default
  days?: number,
  /* more */ detail: Detail | undefined = undefined,
): Promise<string> {
  const nested = \`a \${\`b \${'}'}\`} c\`
  return nested
}
function later(a: () => void) { return a }
`.replace('@returns', '@param detail - how much\n * @returns')

describe('TypeScript', () => {
  it('reads the last exported function with its JSDoc', async () => {
    expect(await typescript(WEATHER)).toEqual({
      name: 'getWeather',
      description: 'Say what the weather is,\nanywhere.',
      parameters: {
        type: 'object',
        properties: {
          spot: {
            type: 'object',
            properties: {
              city: { type: 'string', description: 'Town or village.' },
              zip: { anyOf: [{ type: 'string' }, { type: 'null' }] },
              at: {
                type: 'array',
                prefixItems: [{ type: 'number' }, { type: 'number' }],
                items: { type: 'number' },
                minItems: 2,
                maxItems: 2,
              },
            },
            required: ['city', 'at'],
            description: 'Where, exactly',
          },
          unit: { type: 'string', enum: ['c', 'f'], description: 'how to count' },
          days: { type: 'number', description: '[for how long]' },
          detail: { type: 'string', enum: ['low', 'high'], description: 'how much' },
        },
        required: ['spot'],
      },
    })
  })

  it.each<[string, object]>([
    ['string[]', { type: 'array', items: { type: 'string' } }],
    ['Array<number | null>', { type: 'array', items: { anyOf: [{ type: 'number' }, { type: 'null' }] } }],
    ['readonly string[][]', { type: 'array', items: { type: 'array', items: { type: 'string' } } }],
    ['Record<string, boolean>', { type: 'object', additionalProperties: { type: 'boolean' } }],
    ["Record<'a', number>", { type: 'object', properties: { a: { type: 'number' } }, required: ['a'] }],
    [
      '{ [key: string]: number }',
      { type: 'object', properties: {}, required: [], additionalProperties: { type: 'number' } },
    ],
    [
      '{ a: 1 | -2, "b-c"?: any }',
      { type: 'object', properties: { a: { type: 'integer', enum: [1, -2] }, 'b-c': {} }, required: ['a'] },
    ],
    ['Partial<{ a: string }>', { type: 'object', properties: { a: { type: 'string' } }, required: [] }],
    [
      '{ a: string } & { b: string }',
      { type: 'object', properties: { a: { type: 'string' }, b: { type: 'string' } }, required: ['a', 'b'] },
    ],
    ['(string | number)[]', { type: 'array', items: { anyOf: [{ type: 'string' }, { type: 'number' }] } }],
    ['true | false', { type: 'boolean' }],
    ['unknown', {}],
  ])('takes %s', async (type, schema) => {
    const { parameters } = await typescript(
      `/** D.\n @param x - it */\nexport const f = async (x: ${type}): Promise<void> => {}`,
    )
    expect(parameters).toEqual({ type: 'object', properties: { x: { ...schema, description: 'it' } }, required: ['x'] })
  })

  it('prefers the default export, and takes function expressions', async () => {
    const source =
      '/** A. */ export default function a() {}\n/** B. */ export const b = function () {}\nexport const c = (1 + 2)'
    expect(await typescript(source)).toMatchObject({ name: 'a', description: 'A.' })
    expect(await typescript(source.replace('default ', ''))).toMatchObject({ name: 'b', description: 'B.' })
  })

  it.each<[string, string, RegExp]>([
    ['no export', 'function f() {}', /exports no function/],
    ['no JSDoc', 'export function f() {}', /'f' has no JSDoc/],
    ['no type', '/** D. @param x */ export function f(x) {}', /parameter 'x' of 'f' has no type/],
    ['no description', '/** D. */ export function f(x: string) {}', /parameter 'x' of 'f' is not described/],
    ['patterns', '/** D. */ export function f({ x }: { x: string }) {}', /no plain name/],
    ['rest', '/** D. */ export function f(...x: string[]) {}', /no plain name/],
    ['functions', '/** D. */ export function f(x: (a: string) => void) {}', /parameter 'x' of 'f' takes a function/],
    ['Date', '/** D. */ export function f(x: Date) {}', /'Date'.*ISO 8601/],
    ['Map', '/** D. */ export function f(x: Map<string, string>) {}', /'Map<…>'.*Record/],
    ['recursion', '/** D. */ export function f(x: T) {}\ntype T = { t: T }', /contains itself: 'T'/],
    ['an open text', "export function f() { return 'a }", /line 1/],
    ['an open bracket', 'export function f() { (', /where/],
    [
      'depth',
      `/** D. */ export function f(x: ${'('.repeat(20_000)}string${')'.repeat(20_000)}) {}`,
      /nested too deeply/,
    ],
    [
      'doubling',
      `/** D. */ export function f(x: T20) {}\ntype T0 = string\n${Array.from({ length: 20 }, (_, n) => `type T${n + 1} = [T${n}, T${n}]`).join('\n')}`,
      /more than 2000/,
    ],
  ])('refuses %s', async (_, source, message) => {
    await expect(typescript(source)).rejects.toThrow(message)
    await expect(typescript(source)).rejects.toThrow(/^Failed to derive json schema: /)
  })
})

describe('hostile sources', () => {
  const N = 90_000
  it.each<[string, (source: string) => Promise<unknown>, string]>([
    ['blanks in a docstring', python, `def f(x: int):\n  """D.\n\n  Args:\n    x${' '.repeat(N)}y"""`],
    ['a parenthesis in a docstring', python, `def f(x: int):\n  """D.\n\n  Args:\n    x ${'( '.repeat(N / 2)}y"""`],
    ['a field without an end', python, `def f(x: int):\n  """D.\n\n  :param${' a'.repeat(N / 2)}"""`],
    ['a word without an end', python, `def f(x: int):\n  """D.\n\n  :${'a'.repeat(N)}"""`],
    ['comments without an end', typescript, '/* '.repeat(N / 3)],
    ['expressions without an end', typescript, '=/['.repeat(N / 3)],
    ['slashes', typescript, '= / '.repeat(N / 4)],
    ['a tag without an end', typescript, `/** @param ${'a'.repeat(N)} b\u2028c */ export function f() {}`],
    ['brackets', typescript, `export function f() { ${'('.repeat(N)}`],
  ])('%s are read or refused at once', async (_, derive, source) => {
    const start = performance.now()
    await derive(source).catch((error: unknown) => expect(error).toMatchObject({ kind: 'invalid_argument' }))
    expect(performance.now() - start).toBeLessThan(10_000)
  })
})

describe('given schemas', () => {
  const sourceCode = 'def f():\n    """Does."""\n'

  it('win over the source', async () => {
    const jsonSchema = { name: 'other', description: 'x', parameters: { type: 'object', properties: {} } }
    expect(await deriveToolSchema({ sourceType: 'python', sourceCode, jsonSchema })).toEqual(jsonSchema)
  })

  it('of the arguments stand beside name and description of the source, without references', async () => {
    const argsJsonSchema = {
      $defs: { Item: { type: 'object', properties: { a: { type: 'string' } } } },
      type: 'object',
      properties: { item: { $ref: '#/$defs/Item', description: 'it' } },
    }
    expect(await deriveToolSchema({ sourceType: 'python', sourceCode, argsJsonSchema })).toEqual({
      name: 'f',
      description: 'Does.',
      parameters: {
        type: 'object',
        properties: { item: { type: 'object', properties: { a: { type: 'string' } }, description: 'it' } },
      },
    })
    const recursive = { $defs: { A: { $ref: '#/$defs/A' } }, properties: { a: { $ref: '#/$defs/A' } } }
    await expect(deriveToolSchema({ sourceType: 'python', sourceCode, argsJsonSchema: recursive })).rejects.toThrow(
      /contains itself/,
    )
  })

  it.each<[object, RegExp]>([
    [{}, /the name null/],
    [{ name: 'a b' }, /the name "a b"/],
    [{ name: 'a'.repeat(49) }, /49 characters.*48 or fewer/],
    [{ name: 'a', description: 3 }, /description is no text/],
    [{ name: 'a', parameters: [] }, /no JSON Schema/],
    [{ name: 'a', parameters: { type: 'array' } }, /arguments of a tool are an object/],
    [{ name: 'a', parameters: { properties: { x: { type: 'str' } } } }, /properties\/x\/type/],
  ])('%o are refused', async (jsonSchema, message) => {
    const derived = deriveToolSchema({
      sourceType: 'python',
      sourceCode,
      jsonSchema: jsonSchema as Record<string, unknown>,
    })
    await expect(derived).rejects.toThrow(message)
  })

  it('need no code that can be read', async () => {
    await expect(deriveToolSchema({ sourceType: 'json', sourceCode: '{}' })).rejects.toThrow(/Give json_schema/)
    await expect(deriveToolSchema({ sourceType: 'cobol', sourceCode: '' })).rejects.toThrow(/no source_type 'cobol'/)
  })
})

/** A type of Python and the schema that it must have, at random. */
const { type: pythonType } = fc.letrec<{ type: [string, object] }>((tie) => ({
  type: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<[string, object]>(
      ['str', { type: 'string' }],
      ['int', { type: 'integer' }],
      ['float', { type: 'number' }],
      ['bool', { type: 'boolean' }],
      ['Any', {}],
    ),
    tie('type').map(([text, items]): [string, object] => [`List[${text}]`, { type: 'array', items }]),
    tie('type').map(([text, value]): [string, object] => [
      `dict[str, ${text}]`,
      { type: 'object', additionalProperties: value },
    ]),
    fc
      .array(fc.stringMatching(/^[a-z ]{1,8}$/), { minLength: 1, maxLength: 4 })
      .map((values): [string, object] => [
        `Literal[${values.map((value) => JSON.stringify(value)).join(', ')}]`,
        { type: 'string', enum: [...new Set(values)] },
      ]),
  ),
}))

describe('any source', () => {
  it('of composed types gives the composed schema', async () => {
    await fc.assert(
      fc.asyncProperty(pythonType, async ([text, schema]) => {
        expect((await ofAnnotation(text)).schema).toEqual(schema)
      }),
      { numRuns: 200 },
    )
  })

  it('is read or refused, never a fault', async () => {
    const pieces = fc.constantFrom(
      'def f(',
      'x: ',
      'int',
      ')',
      ':',
      '\n',
      '    ',
      '"""',
      'Args:',
      '[',
      ']',
      '|',
      'class A(Enum):',
      '=',
      'export function f',
      '/**',
      '*/',
      '{',
      '}',
      "'",
      '`',
      '${',
      '@param x - y',
      '/',
      'type T = ',
    )
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(pieces, fc.string({ maxLength: 5 })), { maxLength: 40 }), async (parts) => {
        for (const derive of [python, typescript]) {
          await derive(parts.join('')).catch((error: unknown) =>
            expect(error).toMatchObject({ kind: 'invalid_argument' }),
          )
        }
      }),
      { numRuns: 300 },
    )
  })

  it('is read in 2 ms', async () => {
    await python(ROLL)
    const times: number[] = []
    for (let run = 0; run < 200; run += 1) {
      const start = performance.now()
      await python(`${ROLL}\n# ${run}`)
      times.push(performance.now() - start)
    }
    const median = times.toSorted((a, b) => a - b)[100] ?? 0
    console.info(`schema of a Python tool: ${median.toFixed(3)} ms (median of 200)`)
    expect(median).toBeLessThan(2)
  })
})

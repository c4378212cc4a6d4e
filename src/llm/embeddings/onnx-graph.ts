import { type Encoded, field, floatField, intField, message, toBytes } from './protobuf.ts'

/** Element types, by their numbers in onnx.proto. */
const ELEMENT = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7 } as const
type ElementType = keyof typeof ELEMENT
type TensorData = Float32Array | Uint8Array | Int8Array | Int32Array | BigInt64Array

/** Kinds of attributes, by their numbers in onnx.proto. */
const FLOAT_ATTRIBUTE = 1
const INT_ATTRIBUTE = 2

/** The onnx format, and of which version the standard operators are; the rest is ONNX Runtime's own (`com.microsoft`). */
const IR_VERSION = 9
const OPSET_VERSION = 18
const MICROSOFT = 'com.microsoft'

export interface Operator {
  type: string
  inputs: readonly string[]
  /** One unless told. */
  outputs?: number
  /** Whole numbers, unless `floats` has them. */
  ints?: Readonly<Record<string, number>>
  floats?: Readonly<Record<string, number>>
  /** Operators that the standard does not have. */
  isMicrosoft?: boolean
}

/** A model in the ONNX format, written field by field as onnx.proto numbers them: https://github.com/onnx/onnx. */
export class OnnxGraph {
  readonly #nodes: Encoded[] = []
  readonly #initializers: Encoded[] = []
  readonly #inputs: Encoded[] = []
  readonly #outputs: Encoded[] = []
  #lastId = 0

  /** A value that each run brings. Its dimensions are free where they have a name. */
  input(name: string, type: ElementType, dimensions: readonly (number | string)[]): string {
    this.#inputs.push(valueInfo(name, type, dimensions))
    return name
  }

  output(name: string, type: ElementType, dimensions: readonly (number | string)[]): void {
    this.#outputs.push(valueInfo(name, type, dimensions))
  }

  /** A tensor of the model's own. Returns its name. */
  constant(type: ElementType, dimensions: readonly number[], data: TensorData): string {
    const name = this.#nextName('c')
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    this.#initializers.push(
      message(
        ...dimensions.map((size) => intField(1, size)),
        intField(2, ELEMENT[type]),
        field(8, name),
        field(9, bytes),
      ),
    )
    return name
  }

  /** Adds an operator with one output. Returns its name. */
  add(operator: Operator): string {
    const [name] = this.addMany({ ...operator, outputs: 1 })
    return name as string
  }

  addMany({ type, inputs, outputs = 1, ints = {}, floats = {}, isMicrosoft = false }: Operator): string[] {
    const names = Array.from({ length: outputs }, () => this.#nextName('v'))
    this.#nodes.push(this.#node({ type, inputs, ints, floats, isMicrosoft }, names))
    return names
  }

  /** Gives a value the name of an output. */
  rename(value: string, name: string): void {
    this.#nodes.push(
      this.#node({ type: 'Identity', inputs: [value], ints: {}, floats: {}, isMicrosoft: false }, [name]),
    )
  }

  toBytes(): Uint8Array<ArrayBuffer> {
    const graph = message(
      ...this.#nodes.map((node) => field(1, node)),
      field(2, 'perdure'),
      ...this.#initializers.map((tensor) => field(5, tensor)),
      ...this.#inputs.map((input) => field(11, input)),
      ...this.#outputs.map((output) => field(12, output)),
    )
    return toBytes(
      message(
        intField(1, IR_VERSION),
        field(2, 'perdure'),
        field(7, graph),
        field(8, message(field(1, ''), intField(2, OPSET_VERSION))),
        field(8, message(field(1, MICROSOFT), intField(2, 1))),
      ),
    )
  }

  #node({ type, inputs, ints, floats, isMicrosoft }: Required<Omit<Operator, 'outputs'>>, outputs: string[]): Encoded {
    const attributes = [
      ...Object.entries(ints).map(([name, value]) =>
        message(field(1, name), intField(3, value), intField(20, INT_ATTRIBUTE)),
      ),
      ...Object.entries(floats).map(([name, value]) =>
        message(field(1, name), floatField(2, value), intField(20, FLOAT_ATTRIBUTE)),
      ),
    ]
    return message(
      ...inputs.map((name) => field(1, name)),
      ...outputs.map((name) => field(2, name)),
      field(4, type),
      ...attributes.map((attribute) => field(5, attribute)),
      ...(isMicrosoft ? [field(7, MICROSOFT)] : []),
    )
  }

  #nextName(prefix: string): string {
    this.#lastId += 1
    return `${prefix}${this.#lastId}`
  }
}

function valueInfo(name: string, type: ElementType, dimensions: readonly (number | string)[]): Encoded {
  const shape = message(
    ...dimensions.map((size) => field(1, typeof size === 'number' ? intField(1, size) : message(field(2, size)))),
  )
  const tensor = message(intField(1, ELEMENT[type]), field(2, shape))
  return message(field(1, name), field(2, message(field(1, tensor))))
}

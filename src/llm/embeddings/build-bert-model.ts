import { OnnxGraph } from './onnx-graph.ts'
import type { TensorFile } from './read-safetensors.ts'

/** What `config.json` of a BERT says, and this graph needs. */
export interface BertShape {
  hidden_size: number
  intermediate_size: number
  num_attention_heads: number
  num_hidden_layers: number
  max_position_embeddings: number
  vocab_size: number
  layer_norm_eps: number
}

/** `int8` is a quarter of the size and half as fast again; `float32` is what it is measured against. */
export type Precision = 'int8' | 'float32'

/**
 * Steps of a weight on each side of zero. Seven bits and not eight: without VNNI, x86 adds two products of an 8-bit activation and a weight
 * in 16 bits, and 2 · 255 · 127 would not fit in, so that vectors would depend on the processor.
 */
const WEIGHT_STEPS = 63
/** Rows of the table of words are only multiplied by their scale. */
const WORD_STEPS = 127
/** Steps of an activation on each side of zero, and the byte that stands for zero. */
const ACTIVATION_STEPS = 127
const ACTIVATION_ZERO = 128

/** Element type float, as a number in onnx.proto. */
const TO_FLOAT = 1

/**
 * A sentence encoder as an ONNX model: BERT, the mean over the tokens of a text, unit length. Inputs `ids` and `mask` (int32, texts × tokens,
 * mask 0 at padding), output `vectors` (texts × 1 × width). It uses operators that ONNX Runtime has beside the standard's.
 *
 * In `int8`, each token's activations have a scale of their own. ONNX's usual way, one scale for all that is in a batch
 * (DynamicQuantizeLinear), makes a vector depend on what else is in the batch: cosine 0.99 to the same text alone.
 */
export function buildBertModel(tensors: TensorFile, shape: BertShape, precision: Precision): Uint8Array<ArrayBuffer> {
  return new BertBuilder(tensors, shape, precision).build()
}

class BertBuilder {
  readonly #graph = new OnnxGraph()
  readonly #tensors: TensorFile
  readonly #shape: BertShape
  readonly #precision: Precision

  constructor(tensors: TensorFile, shape: BertShape, precision: Precision) {
    this.#tensors = tensors
    this.#shape = shape
    this.#precision = precision
  }

  build(): Uint8Array<ArrayBuffer> {
    const graph = this.#graph
    const ids = graph.input('ids', 'int32', ['texts', 'tokens'])
    const mask = graph.input('mask', 'int32', ['texts', 'tokens'])
    const batch = graph.add({ type: 'Shape', inputs: [ids] })
    // one row for each token of each text; only attention and the mean need to know which is whose
    let rows = this.#toRows(this.#embed(ids, batch))
    for (let layer = 0; layer < this.#shape.num_hidden_layers; layer += 1) rows = this.#layer(rows, mask, batch, layer)
    graph.rename(this.#pool(this.#toBatch(rows, batch, this.#shape.hidden_size), mask), 'vectors')
    graph.output('vectors', 'float32', ['texts', 1, this.#shape.hidden_size])
    return graph.toBytes()
  }

  /** Words, their positions and the only segment there is, normalised. */
  #embed(ids: string, batch: string): string {
    const graph = this.#graph
    const { hidden_size: width, max_position_embeddings: maxTokens } = this.#shape
    const positions = this.#tensors.get('embeddings.position_embeddings.weight', [maxTokens, width])
    const segment = this.#tensors.get('embeddings.token_type_embeddings.weight', [2, width])
    for (let index = 0; index < positions.length; index += 1) {
      positions[index] = (positions[index] as number) + (segment[index % width] as number)
    }
    const table = graph.constant('float32', [maxTokens, width], positions)
    const tokens = graph.add({ type: 'Slice', inputs: [batch, this.#int64(1), this.#int64(2)] })
    const places = graph.add({ type: 'Slice', inputs: [table, this.#int64(0), tokens] })
    const sum = graph.add({ type: 'Add', inputs: [this.#words(ids), places] })
    return graph.add({
      type: 'LayerNormalization',
      inputs: [sum, ...this.#norm('embeddings.LayerNorm')],
      floats: { epsilon: this.#shape.layer_norm_eps },
    })
  }

  #words(ids: string): string {
    const graph = this.#graph
    const { hidden_size: width, vocab_size: words } = this.#shape
    const table = this.#tensors.get('embeddings.word_embeddings.weight', [words, width])
    if (this.#precision === 'float32') {
      return graph.add({ type: 'Gather', inputs: [graph.constant('float32', [words, width], table), ids] })
    }
    const { steps, scales } = quantizeRows(table, width, WORD_STEPS)
    const rows = graph.add({ type: 'Gather', inputs: [graph.constant('int8', [words, width], steps), ids] })
    const rowScales = graph.add({ type: 'Gather', inputs: [graph.constant('float32', [words, 1], scales), ids] })
    const numbers = graph.add({ type: 'Cast', inputs: [rows], ints: { to: TO_FLOAT } })
    return graph.add({ type: 'Mul', inputs: [numbers, rowScales] })
  }

  #layer(input: string, mask: string, batch: string, layer: number): string {
    const graph = this.#graph
    const { hidden_size: width, intermediate_size: inner } = this.#shape
    const name = `encoder.layer.${layer}`
    const attended = this.#attend(input, mask, batch, `${name}.attention.self`)
    const projected = this.#linear(attended, [`${name}.attention.output.dense`], width, width)
    const middle = this.#addNormalized(input, projected, `${name}.attention.output.LayerNorm`)
    const widened = this.#linear(middle, [`${name}.intermediate.dense`], width, inner)
    const activated = graph.add({ type: 'Gelu', inputs: [widened], isMicrosoft: true })
    const narrowed = this.#linear(activated, [`${name}.output.dense`], inner, width)
    return this.#addNormalized(middle, narrowed, `${name}.output.LayerNorm`)
  }

  #attend(input: string, mask: string, batch: string, name: string): string {
    const graph = this.#graph
    const { hidden_size: width, num_attention_heads: heads } = this.#shape
    // one product for all three is faster than three
    const joined = this.#linear(input, [`${name}.query`, `${name}.key`, `${name}.value`], width, width)
    const [query = '', key = '', value = ''] = graph.addMany({
      type: 'Split',
      inputs: [this.#toBatch(joined, batch, 3 * width), this.#int64(width, width, width)],
      outputs: 3,
      ints: { axis: 2 },
    })
    const attended = graph.add({
      type: 'MultiHeadAttention',
      inputs: [query, key, value, '', mask],
      ints: { num_heads: heads },
      isMicrosoft: true,
    })
    return this.#toRows(attended)
  }

  /** The layers `names` side by side, each from `from` to `to` numbers. */
  #linear(input: string, names: readonly string[], from: number, to: number): string {
    const graph = this.#graph
    const width = names.length * to
    const weights = new Float32Array(width * from)
    const biases = new Float32Array(width)
    names.forEach((name, index) => {
      weights.set(this.#tensors.get(`${name}.weight`, [to, from]), index * to * from)
      biases.set(this.#tensors.get(`${name}.bias`, [to]), index * to)
    })
    const product =
      this.#precision === 'float32'
        ? this.#multiply(input, weights, width, from)
        : this.#multiplyQuantized(input, weights, width, from)
    return graph.add({ type: 'Add', inputs: [product, graph.constant('float32', [width], biases)] })
  }

  #multiply(input: string, weights: Float32Array, width: number, from: number): string {
    const columns = transpose(weights, width, from, new Float32Array(weights.length))
    const table = this.#graph.constant('float32', [from, width], columns)
    return this.#graph.add({ type: 'MatMul', inputs: [input, table] })
  }

  #multiplyQuantized(input: string, weights: Float32Array, width: number, from: number): string {
    const graph = this.#graph
    const { steps, scales } = quantizeRows(weights, from, WEIGHT_STEPS)
    const columns = transpose(steps, width, from, new Int8Array(steps.length))
    const { rows, rowScales } = this.#quantize(input)
    const product = graph.add({
      type: 'MatMulIntegerToFloat',
      inputs: [
        rows,
        graph.constant('int8', [from, width], columns),
        this.#float(1),
        graph.constant('float32', [width], scales),
        graph.constant('uint8', [], Uint8Array.of(ACTIVATION_ZERO)),
      ],
      isMicrosoft: true,
    })
    return graph.add({ type: 'Mul', inputs: [product, rowScales] })
  }

  /** Each row in bytes around ACTIVATION_ZERO, with the scale (rows × 1) that gives its numbers back. */
  #quantize(input: string): { rows: string; rowScales: string } {
    const graph = this.#graph
    const sizes = graph.add({ type: 'Abs', inputs: [input] })
    const largest = graph.add({ type: 'ReduceMax', inputs: [sizes, this.#int64(1)], ints: { keepdims: 1 } })
    const step = graph.add({ type: 'Mul', inputs: [largest, this.#float(1 / ACTIVATION_STEPS)] })
    // a row of zeros must not be divided by zero
    const rowScales = graph.add({ type: 'Add', inputs: [step, this.#float(1e-12)] })
    const flat = graph.add({ type: 'Reshape', inputs: [rowScales, this.#int64(-1)] })
    const count = graph.add({ type: 'Shape', inputs: [flat] })
    const zero = graph.constant('uint8', [1], Uint8Array.of(ACTIVATION_ZERO))
    const zeros = graph.add({ type: 'Expand', inputs: [zero, count] })
    return { rows: graph.add({ type: 'QuantizeLinear', inputs: [input, flat, zeros], ints: { axis: 0 } }), rowScales }
  }

  #addNormalized(input: string, change: string, norm: string): string {
    return this.#graph.add({
      type: 'SkipLayerNormalization',
      inputs: [input, change, ...this.#norm(norm)],
      floats: { epsilon: this.#shape.layer_norm_eps },
      isMicrosoft: true,
    })
  }

  /** The sum over the tokens that are none of padding; its length does not matter, because it becomes one. */
  #pool(hidden: string, mask: string): string {
    const graph = this.#graph
    const weights = graph.add({ type: 'Cast', inputs: [mask], ints: { to: TO_FLOAT } })
    const row = graph.add({ type: 'Unsqueeze', inputs: [weights, this.#int64(1)] })
    const sum = graph.add({ type: 'MatMul', inputs: [row, hidden] })
    return graph.add({ type: 'LpNormalization', inputs: [sum], ints: { axis: 2, p: 2 } })
  }

  /** Texts × tokens × width as rows of tokens. */
  #toRows(value: string): string {
    return this.#graph.add({ type: 'Reshape', inputs: [value, this.#int64(-1, this.#shape.hidden_size)] })
  }

  #toBatch(rows: string, batch: string, width: number): string {
    const shape = this.#graph.add({ type: 'Concat', inputs: [batch, this.#int64(width)], ints: { axis: 0 } })
    return this.#graph.add({ type: 'Reshape', inputs: [rows, shape] })
  }

  #norm(name: string): string[] {
    const { hidden_size: width } = this.#shape
    return ['weight', 'bias'].map((part) =>
      this.#graph.constant('float32', [width], this.#tensors.get(`${name}.${part}`, [width])),
    )
  }

  #int64(...values: readonly number[]): string {
    return this.#graph.constant('int64', [values.length], BigInt64Array.from(values, BigInt))
  }

  #float(value: number): string {
    return this.#graph.constant('float32', [], Float32Array.of(value))
  }
}

/** Each row as whole numbers from -`maxStep` to `maxStep`, with the scale that gives the numbers back. */
function quantizeRows(rows: Float32Array, width: number, maxStep: number): { steps: Int8Array; scales: Float32Array } {
  const steps = new Int8Array(rows.length)
  const scales = new Float32Array(rows.length / width)
  for (let row = 0; row < scales.length; row += 1) {
    const start = row * width
    let largest = 0
    for (let index = start; index < start + width; index += 1) {
      largest = Math.max(largest, Math.abs(rows[index] as number))
    }
    const scale = largest / maxStep || 1
    scales[row] = scale
    for (let index = start; index < start + width; index += 1)
      steps[index] = Math.round((rows[index] as number) / scale)
  }
  return { steps, scales }
}

function transpose<Numbers extends Float32Array | Int8Array>(
  source: Numbers,
  rows: number,
  columns: number,
  target: Numbers,
): Numbers {
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      target[column * rows + row] = source[row * columns + column] as number
    }
  }
  return target
}

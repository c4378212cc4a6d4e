import type { ExprNode } from 'py-ast'

export type Literal = string | number | boolean | null

/** The value of a constant that JSON has too: texts, numbers, True, False and None; undefined for anything else. */
export function literalOf(node: ExprNode): Literal | undefined {
  if (node.nodeType === 'UnaryOp') {
    const operand = literalOf(node.operand)
    if (typeof operand !== 'number') return undefined
    if (node.op.nodeType === 'USub') return -operand
    return node.op.nodeType === 'UAdd' ? operand : undefined
  }
  if (node.nodeType !== 'Constant' || isEllipsis(node)) return undefined
  const value: unknown = node.value
  if (typeof value === 'bigint') return Number(value)
  if (typeof value === 'string') return node.quote_style?.toLowerCase().includes('b') ? undefined : value
  const isPlain = value === null || typeof value === 'number' || typeof value === 'boolean'
  return isPlain ? value : undefined
}

/** `...`, which the parser gives as a text without quotes. */
export function isEllipsis(node: ExprNode): boolean {
  return node.nodeType === 'Constant' && node.value === '...' && node.quote_style === undefined
}

export const isNone = (node: ExprNode | null | undefined): boolean =>
  node?.nodeType === 'Constant' && node.value === null

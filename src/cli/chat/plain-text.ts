const CONTROL_CHARACTER = /(?![\n\t])\p{Cc}/gu

/** Without control characters other than tab and line feed: what a model or a block says must not steer the terminal. */
export function plainText(text: string): string {
  return text.replace(CONTROL_CHARACTER, '')
}

import type { Readable, Writable } from 'node:stream'
import { styleText } from 'node:util'
import { plainText } from './plain-text.ts'

/** Where the chat reads and writes: a terminal, pipes, or the streams of a test. */
export interface ChatStreams {
  input: Readable & { isTTY?: boolean }
  output: Writable & { isTTY?: boolean; columns?: number; hasColors?: () => boolean }
  errors: Writable
  /** Calls back at each Ctrl-C that comes as a signal, until the returned function is called. */
  onInterrupt: (listener: () => void) => () => void
}

type Style = Parameters<typeof styleText>[0]

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']
const FRAME_MS = 80
const CLEAR_LINE = '\r\u001b[K'

/**
 * Everything that is shown. On a terminal all of it goes to the output, with colours and a spinner. Otherwise (a pipe, a file,
 * NO_COLOR) it is plain, and a pipe gets the answer alone: the rest goes to the errors.
 */
export class Screen implements Disposable {
  readonly isLively: boolean
  readonly #output: Writable
  readonly #notes: Writable
  /** Where a line has begun and not ended. */
  #openLine: { stream: Writable; style: Style | undefined } | undefined
  #spinner: NodeJS.Timeout | undefined

  constructor({ output, errors }: Pick<ChatStreams, 'output' | 'errors'>) {
    this.isLively = output.isTTY === true && (output.hasColors?.() ?? true)
    this.#output = output
    this.#notes = output.isTTY === true ? output : errors
  }

  /** A piece of the answer. */
  answer(text: string): void {
    this.#write(this.#output, text)
  }

  /** A piece of what the model thinks. */
  reasoning(text: string): void {
    this.#write(this.#notes, text, 'dim')
  }

  /** A line beside the conversation. */
  note(text: string, style?: Style): void {
    this.endLine()
    this.#write(this.#notes, `${text}\n`, style)
  }

  /** The stream of notes, at the beginning of a line, for the frames that `@clack/prompts` draws. */
  get frame(): Writable {
    this.endLine()
    return this.#notes
  }

  /** Waits for something: a spinner with this text until anything else is shown; nothing where there is none. */
  wait(text: string): void {
    this.endLine()
    if (!this.isLively) return
    let frame = 0
    const draw = () => {
      this.#notes.write(
        `${CLEAR_LINE}${styleText('cyan', FRAMES[frame++ % FRAMES.length] ?? '', { validateStream: false })} ${plainText(text)}`,
      )
    }
    draw()
    this.#spinner = setInterval(draw, FRAME_MS)
  }

  /** Waits for something that is worth a line where there is no spinner. */
  work(text: string): void {
    if (this.isLively) this.wait(text)
    else this.note(`… ${text}`)
  }

  /** Takes the spinner away, and goes to the beginning of a line. */
  endLine(): void {
    this.#stopSpinner()
    this.#openLine?.stream.write('\n')
    this.#openLine = undefined
  }

  [Symbol.dispose](): void {
    this.#stopSpinner()
  }

  #write(stream: Writable, text: string, style?: Style): void {
    const shown = plainText(text)
    if (shown === '') return
    if (this.#openLine?.stream === stream && this.#openLine.style === style) this.#stopSpinner()
    else this.endLine()
    const isStyled = this.isLively && style !== undefined
    stream.write(isStyled ? styleText(style, shown, { validateStream: false }) : shown)
    this.#openLine = shown.endsWith('\n') ? undefined : { stream, style }
  }

  #stopSpinner(): void {
    if (this.#spinner === undefined) return
    clearInterval(this.#spinner)
    this.#spinner = undefined
    this.#notes.write(CLEAR_LINE)
  }
}

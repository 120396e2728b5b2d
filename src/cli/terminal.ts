/** Where a command writes: plain text, with colours only where a person looks at a terminal and has not said NO_COLOR. */

/** Colours by meaning are chosen where a text is made; these are the means. */
export interface Paint {
  readonly bold: (text: string) => string
  readonly dim: (text: string) => string
  readonly red: (text: string) => string
  readonly yellow: (text: string) => string
  readonly green: (text: string) => string
}

/** What a rendering may use. `columns` is Infinity where nothing is to be wrapped (a pipe, a file). */
export interface View { readonly columns: number; readonly paint: Paint }

export interface Terminal {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  /** Standard output is a terminal. */
  readonly interactive: boolean
  readonly view: View
  /** The same for standard error, which may be a terminal where standard output is not. */
  readonly errorView: View
}

export const plainPaint: Paint = { bold: same, dim: same, red: same, yellow: same, green: same }

export const colourPaint: Paint = {
  bold: (text) => `\x1b[1m${text}\x1b[22m`,
  dim: (text) => `\x1b[2m${text}\x1b[22m`,
  red: (text) => `\x1b[1;31m${text}\x1b[22;39m`,
  yellow: (text) => `\x1b[33m${text}\x1b[39m`,
  green: (text) => `\x1b[32m${text}\x1b[39m`,
}

function same(text: string): string {
  return text
}

/** `NO_COLOR` counts when set and not empty (no-color.org); a terminal that calls itself `dumb` gets none either. */
export function viewOf(stream: { readonly isTTY?: boolean; readonly columns?: number }, environment: NodeJS.ProcessEnv): View {
  // Where there is no terminal, COLUMNS still says for what width to write.
  if (stream.isTTY !== true) return { columns: Math.max(Number(environment['COLUMNS']) || Infinity, 40), paint: plainPaint }
  // A terminal that was never told its size says 0.
  const colourless = (environment['NO_COLOR'] ?? '') !== '' || environment['TERM'] === 'dumb'
  return { columns: Math.max(stream.columns || 80, 40), paint: colourless ? plainPaint : colourPaint }
}

export function processTerminal(): Terminal {
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    interactive: process.stdout.isTTY === true,
    view: viewOf(process.stdout, process.env),
    errorView: viewOf(process.stderr, process.env),
  }
}

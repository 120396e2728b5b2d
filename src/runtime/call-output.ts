/** The output of one call of a script: one file, or two where standard output is judged by itself. */
import type { Outputs } from './script-output.ts'
import type { Said } from './status-text.ts'

export interface CallOutput {
  readonly fd: number
  readonly errorFd: number
  /** `onCut` is told when more was printed than is kept. */
  read(onCut: (message: string) => void): Said
  /** Once. */
  close(): void
}

/** `openNames` holds the names of all files in use. */
export function openCallOutput(outputs: Outputs, name: string, openNames: Set<string>, apart: boolean): CallOutput {
  const out = outputs.open(name)
  const err = apart ? outputs.open(`${name}.err`) : undefined
  openNames.add(name)
  return {
    fd: out.fd,
    errorFd: err?.fd ?? out.fd,
    read(onCut) {
      const read = [out.read(), ...(err === undefined ? [] : [err.read()])]
      const cutBytes = read.reduce((sum, one) => sum + one.cutBytes, 0)
      if (cutBytes > 0) onCut(`printed more than ${Math.round(cutBytes / 1_024)} KiB; only the end of it was kept`)
      const texts = read.map(({ text }) => text)
      return { text: texts.filter((text) => text !== '').join('\n'), standardOutput: texts[0] ?? '', captured: out.captured }
    },
    close() {
      openNames.delete(name)
      out.close()
      err?.close()
    },
  }
}

/** A YAML text with the places of its values. Every scalar is text (YAML's failsafe schema): `on`, `010` and `1e3` stay what was typed. */
import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml'
import type { Findings } from './findings.ts'
import type { Place, SourceFile } from './types.ts'

export interface YamlFile {
  readonly path: string
  /** Texts, lists and mappings. */
  readonly value: unknown
  /** Of the value at this path, or of the nearest thing around it that is there. */
  readonly placeOf: (path: readonly PropertyKey[]) => Place
  /** Of the last word of the path where it stands as a key. */
  readonly placeOfKey: (path: readonly PropertyKey[]) => Place
}

const mostBytes = 1024 * 1024

/** Undefined when it is not YAML at all; `findings` then says why. */
export function readYaml(file: SourceFile, findings: Findings): YamlFile | undefined {
  const top = { file: file.path, line: 1, column: 1 }
  if (file.text.length > mostBytes) {
    findings.error(top, 'file-too-large',
      `${file.path} has ${file.text.length} characters; a configuration has at most ${mostBytes}. Is this the right file?`)
    return undefined
  }
  const lineCounter = new LineCounter()
  try {
    const document = parseDocument(file.text, { schema: 'failsafe', lineCounter, prettyErrors: false, uniqueKeys: true })
    for (const { message, pos } of document.errors) findings.error(placeAt(file.path, lineCounter, pos[0]), 'yaml-syntax',
      syntaxText(message))
    if (document.errors.length > 0) return undefined
    const value: unknown = document.toJS({ maxAliasCount: 100 })
    return {
      path: file.path,
      value,
      placeOf: (path) => placeAt(file.path, lineCounter, offsetOf(document, path)),
      placeOfKey: (path) => placeAt(file.path, lineCounter, keyOffsetOf(document, path)),
    }
  } catch (error) {
    // Thrown for aliases that multiply and for nesting deeper than the stack.
    findings.error(top, 'yaml-syntax',
      `${file.path} cannot be read as YAML: ` +
      `${error instanceof RangeError ? 'it is nested too deeply' : 'its aliases multiply or name nothing'}.`)
    return undefined
  }
}

/** The parser's sentence without what it quotes: that could be a key. */
function syntaxText(message: string): string {
  const sentence = message.split(/[:\n]|"|`/, 1)[0]?.trim() ?? ''
  return `this is not YAML: ${sentence === '' ? 'something is out of place' : sentence}. ` +
    'Keys end with a colon and a blank, deeper lines are indented by blanks, lists start with "- ".'
}

function placeAt(file: string, lineCounter: LineCounter, offset: number): Place {
  const { line, col } = lineCounter.linePos(offset)
  return { file, line: Math.max(1, line), column: Math.max(1, col) }
}

function offsetOf(document: Document, path: readonly PropertyKey[]): number {
  for (let length = path.length; length > 0; length -= 1) {
    const node: unknown = document.getIn(path.slice(0, length), true)
    if (isNode(node) && node.range != null) return node.range[0]
  }
  return isNode(document.contents) ? document.contents.range?.[0] ?? 0 : 0
}

function keyOffsetOf(document: Document, path: readonly PropertyKey[]): number {
  const parent: unknown = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true)
  if (isMap(parent)) {
    for (const { key } of parent.items) {
      if (isScalar(key) && String(key.value) === String(path.at(-1)) && key.range != null) return key.range[0]
    }
  }
  return offsetOf(document, path)
}

/**
 * The count of this node's daemon starts, with the kernel's boot id and the node's uuid, in one file. A generation must
 * never go back: the peer refuses everything older than what it knows (heartbeat-3.md section 3.1).
 */
import { randomUUID } from 'node:crypto'
import { readFile, rename } from 'node:fs/promises'
import { writeAtomically } from './atomic-file.ts'
import { errorCode, errorText } from './errors.ts'
import { isObject, parseJson } from './json-values.ts'

export interface Start {
  readonly generation: number
  /** Of the node, kept for ever: Heartbeat looks nodes up by it. */
  readonly uuid: string
  /** The kernel has not been booted since the daemon's last start. */
  readonly sameBoot: boolean
  readonly warnings: readonly string[]
}

interface Saved { readonly generation: number; readonly uuid: string; readonly bootId: string }

/** Counts this start and fsyncs it. Rejects with a message for the administrator when that cannot be done. */
export async function countStart(directory: string, bootId: string, heartbeatDirectory: string): Promise<Start> {
  const path = `${directory}/generation`
  const warnings: string[] = []
  const saved = await read(path, warnings)
  const generation = saved === undefined ? await firstGeneration(heartbeatDirectory) : nextGeneration(saved.generation)
  const uuid = saved?.uuid ?? randomUUID()
  try {
    await writeAtomically(path, `${JSON.stringify({ generation, uuid, bootId })}\n`, 0o600)
  } catch (error) {
    throw new Error(
      `the generation of this start cannot be kept in ${path}: ${errorText(error)}. ` +
      `Without it the peer would refuse this node's packets as replayed, so the daemon does not start; type: df -h ${directory}`,
      { cause: error },
    )
  }
  return { generation, uuid, sameBoot: bootId !== '' && saved?.bootId === bootId, warnings }
}

/** Never below the clock: a start with another state directory, or an older copy of this one, must not look like a replay to the peer. */
function nextGeneration(last: number): number {
  return Math.max(last + 1, Math.floor(Date.now() / 1_000))
}

async function read(path: string, warnings: string[]): Promise<Saved | undefined> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined
    throw new Error(`the generation file ${path} cannot be read: ${errorText(error)}; type: ls -l ${path}`, { cause: error })
  }
  const saved = parse(text)
  if (saved !== undefined) return saved
  const aside = `${path}.corrupt`
  await rename(path, aside)
  warnings.push(
    `${path} did not hold a generation and was put aside as ${aside}: counting goes on from the clock. ` +
    'If the peer now refuses packets as replayed, restart its daemon',
  )
  return undefined
}

function parse(text: string): Saved | undefined {
  const json = parseJson(text)
  if (!isObject(json)) return undefined
  const { generation, uuid, bootId } = json
  if (typeof generation !== 'number' || !Number.isSafeInteger(generation) || generation < 1) return undefined
  if (typeof uuid !== 'string' || !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(uuid) || typeof bootId !== 'string') return undefined
  return { generation, uuid, bootId }
}

/** Above a Heartbeat's own count, and, as there, from the clock: a lost state directory must not look like a replay. */
async function firstGeneration(heartbeatDirectory: string): Promise<number> {
  const text = await readFile(`${heartbeatDirectory}/hb_generation`, 'utf8').catch(() => '0')
  const heartbeat = /^\s*\d{1,15}\s*$/.test(text) ? Number(text) : 0
  return nextGeneration(Math.max(heartbeat, Math.floor(Date.now() / 1_000)))
}

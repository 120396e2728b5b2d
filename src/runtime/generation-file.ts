/**
 * The count of this node's daemon starts, with the kernel's boot id and the node's uuid, in one file. A generation must
 * never go back: the peer refuses everything older than what it knows (heartbeat-3.md section 3.1).
 */
import { randomUUID } from 'node:crypto'
import { readFile, rename } from 'node:fs/promises'
import { writeAtomically } from './atomic-file.ts'
import { errorCode, errorText } from './errors.ts'
import { keepHeartbeatGeneration, readHeartbeatGeneration, readHeartbeatUuid } from './heartbeat-files.ts'
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

/**
 * Counts this start and fsyncs it. A Heartbeat's own files are the base as long as there are any, and are kept up to date, so that either
 * program goes on where the other ended. Rejects with a message for the administrator when the count cannot be kept.
 */
export async function countStart(directory: string, bootId: string, heartbeatDirectory: string): Promise<Start> {
  const path = `${directory}/generation`
  const warnings: string[] = []
  const saved = await read(path, warnings)
  const heartbeat = await readHeartbeatGeneration(heartbeatDirectory)
  const generation = nextGeneration(saved, heartbeat)
  const uuid = saved?.uuid ?? (await readHeartbeatUuid(heartbeatDirectory, warnings)) ?? randomUUID()
  try {
    await writeAtomically(path, `${JSON.stringify({ generation, uuid, bootId })}\n`, 0o600)
  } catch (error) {
    throw new Error(
      `the generation of this start cannot be kept in ${path}: ${errorText(error)}. ` +
      `Without it the peer would refuse this node's packets as replayed, so the daemon does not start; type: df -h ${directory}`,
      { cause: error },
    )
  }
  if (heartbeat !== undefined) await keepHeartbeatGeneration(heartbeatDirectory, generation, warnings)
  return { generation, uuid, sameBoot: bootId !== '' && saved?.bootId === bootId, warnings }
}

/** A further generation for the daemon that runs: above all that were used. */
export async function reserveGeneration(directory: string, bootId: string, heartbeatDirectory: string): Promise<number> {
  return (await countStart(directory, bootId, heartbeatDirectory)).generation
}

export interface NextStart {
  readonly generation: number
  /** This program has counted here before. */
  readonly own: boolean
}

/** The generation of the next start, without one: nothing is written, and nothing put aside. */
export async function nextStart(directory: string, heartbeatDirectory: string): Promise<NextStart> {
  const saved = parse(await readFile(`${directory}/generation`, 'utf8').catch(() => ''))
  const heartbeat = await readHeartbeatGeneration(heartbeatDirectory)
  return { generation: nextGeneration(saved, heartbeat), own: saved !== undefined }
}

/** Never below the clock: a start with another state directory, or an older copy of this one, must not look like a replay to the peer. */
function nextGeneration(saved: Saved | undefined, heartbeat: number | undefined): number {
  const last = Math.max(saved?.generation ?? 0, heartbeat ?? 0)
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

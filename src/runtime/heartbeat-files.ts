/**
 * What a Heartbeat on this host has kept of itself, and what is kept for it, so that either program goes on where the other ended
 * (heartbeat-3.md sections 3.1 and 3.2).
 */
import { readFile, stat } from 'node:fs/promises'
import { writeAtomically } from './atomic-file.ts'
import { errorCode, errorText } from './errors.ts'

export const defaultHeartbeatDirectory = '/var/lib/heartbeat'

const columns = 15
/** Room for more starts than there will be. */
const highest = 10 ** columns - 1_000_000_000

/** Undefined if the text is no generation file: damaged, cut off, empty, or at the end of its numbers. */
export function parseGeneration(text: string): number | undefined {
  const match = /^ *(\d{1,15})\n?$/.exec(text)
  const generation = Number(match?.[1] ?? NaN)
  return generation <= highest ? generation : undefined
}

/** 16 bytes. Requires an integer from 0 to 15 digits. */
export function formatGeneration(generation: number): string {
  return `${String(generation).padStart(columns)}\n`
}

/** Undefined: there is none. 0: it cannot be read. */
export async function readHeartbeatGeneration(directory: string): Promise<number | undefined> {
  try {
    return parseGeneration(await readFile(`${directory}/hb_generation`, 'latin1')) ?? 0
  } catch (error) {
    return errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR' ? undefined : 0
  }
}

/** Should Heartbeat be started here again, it counts on from this daemon. */
export async function keepHeartbeatGeneration(directory: string, generation: number, warnings: string[]): Promise<void> {
  const path = `${directory}/hb_generation`
  try {
    const { mode, uid, gid } = await stat(path)
    await writeAtomically(path, formatGeneration(generation), mode & 0o777, { uid, gid })
  } catch (error) {
    warnings.push(
      `${path} cannot be kept up to date: ${errorText(error)}. Before you go back to Heartbeat on this host, write a number above ` +
      `${generation} into it: the peer refuses a lower one as replayed`,
    )
  }
}

/** 16 raw bytes, by which the peer knows the node. */
export async function readHeartbeatUuid(directory: string, warnings: string[]): Promise<string | undefined> {
  const path = `${directory}/hb_uuid`
  const consequence = 'this node gets a new uuid, which a Heartbeat on the peer accepts'
  try {
    const hex = (await readFile(path)).toString('hex')
    if (/^(?!0{32})[0-9a-f]{32}$/.test(hex)) return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
    warnings.push(`${path} does not hold the 16 bytes of a uuid: ${consequence}`)
  } catch (error) {
    if (errorCode(error) !== 'ENOENT' && errorCode(error) !== 'ENOTDIR') warnings.push(`${path} cannot be read: ${errorText(error)}: ${consequence}`)
  }
  return undefined
}

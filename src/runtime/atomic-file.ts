/** A file that is there whole or not at all, also after a power failure: temporary file, fsync, rename, fsync of the directory. */
import { open, rename, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'

export interface Owner { readonly uid: number; readonly gid: number }

/** Rejects with the system's error (ENOSPC, EROFS...); the old file then stands unchanged. */
export async function writeAtomically(path: string, text: string, mode: number, owner?: Owner): Promise<void> {
  const temporary = `${path}.new`
  try {
    const file = await open(temporary, 'w', mode)
    try {
      // One that a crash left behind may have been open to others.
      await file.chmod(mode)
      if (owner !== undefined) await file.chown(owner.uid, owner.gid)
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    // What a full disk left behind would only keep it full.
    await unlink(temporary).catch(() => undefined)
    throw error
  }
  const directory = await open(dirname(path), 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

/** Where log lines go: a descriptor that never makes the writer wait, or a regular file. */
import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import { Socket } from 'node:net'

export interface Target {
  readonly fd: () => number
  /** A regular file: a write may wait for the disk, so it belongs into a thread. All others answer EAGAIN instead. */
  readonly waits: boolean
  /** Opens a file anew; throws with the system's error, and the old one stays. */
  reopen(): void
}

/** Throws with the system's error when the file cannot be opened. */
export function fileTarget(path: string): Target {
  const open = (): number => openSync(path, 'a', 0o640)
  let fd = open()
  return {
    fd: () => fd,
    waits: true,
    reopen() {
      const old = fd
      fd = open()
      closeSync(old)
    },
  }
}

/** Pipes, sockets and terminals in non-blocking mode; never throws. */
export function descriptorTarget(fd: number): Target {
  try {
    const found = fstatSync(fd)
    if (found.isFile()) return { fd: () => fd, waits: true, reopen: () => undefined }
    if (!found.isSocket()) {
      // A description of its own: other users of the same pipe or terminal keep their blocking mode.
      return fixed(openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY))
    }
    // The only way from here to O_NONBLOCK on a socket (the journal's). Kept, for a collected one would close the descriptor.
    const socket = new Socket({ fd, readable: false, writable: true })
    socket.on('error', () => undefined)
    socket.unref()
    return { ...fixed(fd), reopen: () => void socket }
  } catch {
    // Closed, or not to be opened again: /dev/null does no harm, and the log file is still there.
    return fixed(openSync('/dev/null', 'w'))
  }
}

function fixed(fd: number): Target {
  return { fd: () => fd, waits: false, reopen: () => undefined }
}

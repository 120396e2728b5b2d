/**
 * A serial line as a device: opened without waiting for anybody at the other end, set by `stty` so that every byte passes as it is, read
 * by Node's own terminal reader, written by plain writes that never wait.
 */
import { execFile } from 'node:child_process'
import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs'
import { isatty, ReadStream } from 'node:tty'
import { errorCode } from './errors.ts'

/** Never this process's own terminal, and no wait for a carrier or for room. */
export const outputFlags = constants.O_WRONLY | constants.O_NOCTTY | constants.O_NONBLOCK
const bothFlags = constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK

export interface SerialDevice {
  /** How many bytes the line took, perhaps none. Throws when the device is gone. */
  write(bytes: Uint8Array): number
  close(): void
}

export interface SerialDeviceEvents {
  onBytes(bytes: Buffer): void
  /** Told once; the device is closed then. */
  onGone(reason: string): void
}

/**
 * As Heartbeat sets it: 8 bits, no parity, modem lines ignored, carriage returns and breaks left out of what is read (it sends a break to
 * begin with). Without its hardware flow control: a cable without those wires is as good, and a line that is full is noticed here.
 */
const lineSettings = ['raw', '-echo', 'cs8', '-parenb', '-cstopb', 'clocal', 'cread', '-hupcl', '-crtscts', '-ixon', '-ixoff', 'ignbrk', 'igncr', 'ignpar']
const sttyMs = 5_000

/** Rejects with a sentence that says why the device cannot be used. */
export async function openSerialDevice(device: string, baud: number, events: SerialDeviceEvents): Promise<SerialDevice> {
  const fd = openTerminal(device)
  try {
    await setLine(device, baud)
  } catch (error) {
    closeSync(fd)
    throw error
  }
  let closed = false
  const stream = new ReadStream(fd)
  // An error is followed by the end of the stream.
  let reason = 'the device is gone'
  stream.on('data', (bytes: Buffer) => { if (!closed) events.onBytes(bytes) })
  stream.on('error', (error) => { reason = `the device is gone (${errorCode(error) || error.message})` })
  stream.on('close', () => {
    if (closed) return
    close()
    events.onGone(reason)
  })
  // Node ends a stream by itself where it has been read to the end, but not one that has only been hung up.
  stream.on('end', () => stream.destroy())

  /** The stream reads by a descriptor of its own, of the same open device. */
  function close(): void {
    if (closed) return
    closed = true
    stream.destroy()
    closeSync(fd)
  }

  return {
    write(bytes) {
      try {
        return writeSync(fd, bytes)
      } catch (error) {
        if (errorCode(error) === 'EAGAIN') return 0
        throw error
      }
    },
    close,
  }
}

function openTerminal(device: string): number {
  let fd: number
  try {
    fd = openSync(device, bothFlags)
  } catch (error) {
    const code = errorCode(error)
    const hint = code === 'ENOENT' ? ' is not there' : code === 'EACCES' ? ' cannot be opened: no permission' : ` cannot be opened: ${code}`
    throw new Error(`${device}${hint}`, { cause: error })
  }
  if (fstatSync(fd).isCharacterDevice() && isatty(fd)) return fd
  closeSync(fd)
  throw new Error(`${device} is no serial line`)
}

function setLine(device: string, baud: number): Promise<void> {
  const words = ['-F', device, String(baud), ...lineSettings]
  return new Promise((resolve, reject) => {
    execFile('stty', words, { timeout: sttyMs, killSignal: 'SIGKILL', env: { ...process.env, LC_ALL: 'C' } }, (error, _output, errors) => {
      if (error === null) return resolve()
      const said = errors.trim().split('\n')[0] ?? ''
      reject(new Error(`${device} cannot be set to ${baud} baud: ${said === '' ? error.message : said}`, { cause: error }))
    })
  })
}

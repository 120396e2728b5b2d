/**
 * The hardware watchdog: a device that resets this host unless it is fed. It is fed by a byte and switched off by the letter V before it
 * is closed, and only then; a daemon that dies leaves it running, so that the host is reset unless the next daemon feeds it in time.
 */
import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs'
import { basename } from 'node:path'
import type { Millis } from '../core/time.ts'
import { errorCode, errorText } from './errors.ts'
import { loadNative } from './native.ts'
import type { Notice } from './operations.ts'

export interface WatchdogOptions {
  readonly path: string
  readonly timeoutMs: Millis
  /** `watchdog-failed`. */
  readonly onNotice: (notice: Notice) => void
}

export interface Watchdog {
  feed(): void
  /** Fed by nobody any more: the host goes down a second from now where the driver takes orders, else within its time. */
  starve(): void
  /** Fed again, with its own time. */
  spare(): void
  /** Switches it off, unless it starves. */
  close(): void
}

const food = '\0'
const magic = 'V'
/** What the shortest of drivers take. */
const leastSeconds = 1

/** Throws with what to type when the device cannot be opened: then nothing would reset this host. */
export function openWatchdog({ path, timeoutMs, onNotice }: WatchdogOptions): Watchdog {
  const notice = (message: string): void => onNotice({ code: 'watchdog-failed', message })
  const fd = openDevice(path)
  setTimeLimit(fd, path, timeoutMs, notice)
  if (attribute(path, 'nowayout') === '1') {
    notice(`the watchdog ${path} cannot be switched off (nowayout=1): when the daemon is stopped, this host is reset unless another one runs in time`)
  }
  let starving = false
  let closed = false
  let failing = false

  function write(bytes: string): void {
    try {
      writeSync(fd, bytes)
      failing = false
    } catch (error) {
      // Told once: the host goes down anyway if it lasts.
      if (!failing) notice(`the watchdog ${path} cannot be fed (${errorCode(error) || errorText(error)}): it will reset this host`)
      failing = true
    }
  }

  // Opening has started its clock.
  write(food)
  return {
    feed() {
      if (!starving && !closed) write(food)
    },
    starve() {
      if (starving || closed) return
      starving = true
      const got = loadNative()?.setWatchdogTimeout(fd, leastSeconds)
      // Its time counts from the last food: where it is short now, not earlier than ordered; where it is not, as early as may be.
      if (got !== undefined && 'seconds' in got) write(food)
    },
    spare() {
      if (!starving || closed) return
      starving = false
      loadNative()?.setWatchdogTimeout(fd, secondsOf(timeoutMs))
      write(food)
    },
    close() {
      if (starving || closed) return
      closed = true
      write(magic)
      closeSync(fd)
    },
  }
}

/** Without O_CREAT: a file in place of the device would be fed for nothing. Without waiting: a pipe without a reader is an error. */
function openDevice(path: string): number {
  try {
    return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK)
  } catch (error) {
    throw new Error(`the watchdog ${path} cannot be opened: ${cureOf(errorCode(error), path) ?? errorText(error)}`)
  }
}

function cureOf(code: string, path: string): string | undefined {
  if (code === 'ENOENT' || code === 'ENODEV' || code === 'ENXIO') {
    return `there is no such device; load the driver of this hardware, or the kernel's own: modprobe softdog (lasting: echo softdog > /etc/modules-load.d/softdog.conf)`
  }
  if (code === 'EBUSY') return `another program has it; type: fuser -v ${path} (systemd has it where RuntimeWatchdogSec is set)`
  return code === 'EACCES' || code === 'EPERM' ? 'no permission; run the daemon as root' : undefined
}

function secondsOf(timeoutMs: Millis): number {
  return Math.max(Math.ceil(timeoutMs / 1_000), leastSeconds)
}

function setTimeLimit(fd: number, path: string, timeoutMs: Millis, notice: (message: string) => void): void {
  const wanted = secondsOf(timeoutMs)
  const native = loadNative()
  const got = native?.setWatchdogTimeout(fd, wanted)
  if (got !== undefined && 'seconds' in got) {
    if (got.seconds !== wanted) notice(`the watchdog ${path} takes ${got.seconds} s for ${wanted} s`)
    const least = native?.setWatchdogTimeout(fd, leastSeconds)
    native?.setWatchdogTimeout(fd, wanted)
    const leastNow = least !== undefined && 'seconds' in least ? least.seconds : got.seconds
    if (leastNow > leastSeconds) notice(`the watchdog ${path} takes no less than ${leastNow} s: where a stop fails, it resets this host up to ${leastNow - leastSeconds} s after the peer may start what should have stopped; fencing, or another device, makes sure of it`)
    return
  }
  const found = attribute(path, 'timeout')
  const now = found === undefined ? 'the time of its driver' : `${found} s`
  if (got === undefined) notice(`the time of the watchdog ${path} cannot be set to ${wanted} s without native calls; it stays ${now}`)
  else if (got.code === 'ENOTTY') notice(`${path} is no watchdog: nothing resets this host when it hangs; type: ls -l ${path}`)
  else notice(`the watchdog ${path} does not take ${wanted} s (${got.code}); it stays ${now}`)
}

/** /dev/watchdog is the first one by another name. */
function attribute(path: string, name: string): string | undefined {
  const device = basename(path) === 'watchdog' ? 'watchdog0' : basename(path)
  try {
    return readFileSync(`/sys/class/watchdog/${device}/${name}`, 'utf8').trim()
  } catch {
    return undefined
  }
}

/** The two clocks of a daemon. Decisions rest on the monotonic one; the wall clock is for people and records. */
import { uptime } from 'node:os'
import type { Millis, WallMillis } from '../core/time.ts'

/** Monotonic, with fractions, counted from the boot of the host; it stands still while the host is suspended. */
export function nowMs(): Millis {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1_000 + nanoseconds / 1e6
}

export function wallMs(): WallMillis {
  return Date.now()
}

/** Since the kernel was booted, running on while the host is suspended; to 10 ms. */
export function bootMs(): number {
  return uptime() * 1000
}

/** What Heartbeat's programs put before a line on standard error. */
import { hostname } from 'node:os'

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** `Nov 25 18:26:50`, by the local clock, in any locale. */
export function clockText(time: Date): string {
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':')
  return `${months[time.getMonth()]} ${String(time.getDate()).padStart(2, '0')} ${clock}`
}

export function errorLine(text: string): string {
  return `${clockText(new Date())} ${hostname()} cl_status: [${process.pid}]: ERROR: ${text}\n`
}

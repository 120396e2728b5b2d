/** A number is given anew to other processes; with the instant of its start it names one. */
import { textOf } from './text-file.ts'

/** In ticks since the boot; `gone` when there is no such process, or only its remains. */
function beginOf(pid: number): string {
  const text = textOf(`/proc/${pid}/stat`)
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return text === '' || fields[0] === 'Z' || fields[0] === 'X' ? 'gone' : (fields[19] ?? 'gone')
}

/** Of `PID BEGIN`, as `nameOf` writes it. */
export function isThere(name: string): boolean {
  const [pid = '', begin = ''] = name.split(' ')
  return Number(pid) > 1 && begin !== 'gone' && begin === beginOf(Number(pid))
}

export function nameOf(pid: number): string {
  return `${pid} ${beginOf(pid)}`
}

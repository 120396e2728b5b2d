/** Cron expressions of `auto_failback: {at: ...}`, judged by their text; the runtime's scheduler runs them. */

const fields = [
  { name: 'minute', least: 0, most: 59 },
  { name: 'hour', least: 0, most: 23 },
  { name: 'day', least: 1, most: 31 },
  { name: 'month', least: 1, most: 12, names: 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ') },
  { name: 'weekday', least: 0, most: 7, names: 'sun mon tue wed thu fri sat'.split(' ') },
] as const

type Field = { readonly name: string; readonly least: number; readonly most: number; readonly names?: readonly string[] }

/** What is wrong with it; undefined when it is right: `minute hour day month weekday`. */
export function cronFault(text: string): string | undefined {
  const parts = text.trim().split(/\s+/)
  if (parts.length !== fields.length) return `it has ${parts.length} fields; a schedule has five: minute hour day month weekday, as in ` +
    `0 3 * * *`
  for (const [index, part] of parts.entries()) {
    const field: Field | undefined = fields[index]
    if (field !== undefined && !part.split(',').every((item) => fits(item, field))) {
      return `its ${field.name} ${JSON.stringify(part)} is none: ${field.least} to ${field.most}, *, a list (1,2), a range (1-5) or a ` +
        `step (*/2)`
    }
  }
  return undefined
}

function fits(item: string, field: Field): boolean {
  const match = /^(\*|[a-z0-9]+)(?:-([a-z0-9]+))?(?:\/(\d{1,4}))?$/i.exec(item)
  if (match === null) return false
  const [, from = '', to, step] = match
  if (step !== undefined && (Number(step) < 1 || (from !== '*' && to === undefined))) return false
  if (from === '*') return to === undefined
  const first = valueOf(from, field)
  const last = to === undefined ? first : valueOf(to, field)
  return first !== undefined && last !== undefined && first <= last
}

function valueOf(text: string, { least, most, names }: Field): number | undefined {
  const named = names?.indexOf(text.toLowerCase()) ?? -1
  if (named >= 0) return named + least
  const value = /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN
  return value >= least && value <= most ? value : undefined
}

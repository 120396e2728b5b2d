/** What an error of the operating system says, without knowing its type beforehand. */

/** `ENOENT`, `EACCES`...; empty where the error carries no code. */
export function errorCode(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return ''
  return typeof error.code === 'string' ? error.code : ''
}

/** With the place where it was thrown: for a mistake of our own. */
export function errorTrace(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** The program `hactl`: one command line in, one exit code out. */
import { errorTrace } from '../runtime/errors.ts'
import { runHactl } from './program.ts'
import { processTerminal } from './terminal.ts'

// `hactl events | head` closes the pipe early: that is the reader's right, not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

try {
  process.exit(await runHactl(process.argv.slice(2), processTerminal()))
} catch (error) {
  process.stderr.write(`hactl: this is a fault of hactl itself: ${errorTrace(error)}\n`)
  process.exit(1)
}

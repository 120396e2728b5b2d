/** The program `hactl`: one command line in, one exit code out. Called by a link with a name of Heartbeat's, it is that program. */
import { errorTrace } from '../runtime/errors.ts'
import { heartbeatNameOf, runHeartbeatName } from './heartbeat/names.ts'
import { runHactl } from './program.ts'
import { processTerminal } from './terminal.ts'

// `hactl events | head` closes the pipe early: that is the reader's right, not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

try {
  const [, path = '', ...words] = process.argv
  const name = heartbeatNameOf(path)
  process.exit(await (name === undefined ? runHactl(words, processTerminal()) : runHeartbeatName(name, path, words, processTerminal())))
} catch (error) {
  process.stderr.write(`hactl: this is a fault of hactl itself: ${errorTrace(error)}\n`)
  process.exit(1)
}

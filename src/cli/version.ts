/** The version of this program, put in by the bundler. */
import packageFile from '../../package.json' with { type: 'json' }

export const version: string = packageFile.version

/** What every command takes, and how times are written on the command line (design.md section 10). */
import { existsSync } from 'node:fs'
import { InvalidArgumentError } from 'commander'
import { yamlTime } from '../config/durations.ts'
import type { Scope } from '../core/packet.ts'
import type { Millis } from '../core/time.ts'

export interface CommonOptions {
  readonly config: string
  readonly stateDir: string
  readonly control: string
}

export const defaultControl = '/run/hactl/control.sock'
export const defaultStateDir = '/var/lib/hactl'
const yamlConfig = '/etc/hactl/hactl.yaml'
const classicConfig = '/etc/ha.d'

/** The YAML file where there is one, else the classic directory, whether or not that exists: its absence is then the error. */
export function defaultConfig(): string {
  return existsSync(yamlConfig) ? yamlConfig : classicConfig
}

/** A day: whoever waits longer has gone home. */
const longestMs = 86_400_000

/** `200ms`, `2s`, `1.5s`, `5m`, `1h`. A bare number is refused: nobody should have to guess its unit. */
export function durationOption(text: string): Millis {
  const ms = yamlTime(text)
  if (ms !== undefined && ms >= 1 && ms <= longestMs) return ms
  const hint = /^\d+$/.test(text) ? ` Did you mean ${text}s?` : ''
  throw new InvalidArgumentError(`A time is a number with its unit, from 1ms to 24h: 200ms, 2s, 5m.${hint}`)
}

export function isScope(text: string): text is Scope {
  return text === 'all' || text === 'local' || text === 'foreign'
}

export function scopeArgument(text: string): Scope {
  if (isScope(text)) return text
  throw new InvalidArgumentError('It is one of all, local (groups that prefer this node), foreign (the others).')
}

export function keyIndexOption(text: string): number {
  if (/^(\d|1[0-5])$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It is the number of a key in authkeys, 0 to 15.')
}

export function portOption(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535) return Number(text)
  throw new InvalidArgumentError('It is the number of a UDP port, 1 to 65535.')
}

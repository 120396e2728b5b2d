/** etcd's own authentication: a token for name and password, got once and again when etcd no longer takes it. */
import { readFile } from 'node:fs/promises'
import type { EtcdConfig } from '../core/config.ts'
import type { EtcdCall, Login } from '../protocol/etcd-json.ts'
import { errorText } from './errors.ts'
import type { Posted } from './etcd-connection.ts'

export interface LoginWords {
  formatLogin(name: string, password: string): EtcdCall
  parseLogin(status: number, text: string): Login
}

export interface EtcdLogin {
  /** Undefined where etcd wants none or no user is configured. Rejects with what a person must do. */
  token(endpoint: string): Promise<string | undefined>
  /** This token was refused. False where no other can be had. */
  again(refused: string | undefined): boolean
}

/** etcd takes its time for it (bcrypt), perhaps more than a request has: it goes on beside, and the next request has the token. */
const timeoutMs = 5_000

export function createLogin(
  user: EtcdConfig['user'], words: LoginWords, closing: AbortSignal, post: (endpoint: string, call: EtcdCall, signal: AbortSignal) => Promise<Posted>,
): EtcdLogin {
  let known: Login | undefined
  /** One for each member, however many requests wait for it. */
  const running = new Map<string, Promise<string | undefined>>()

  async function logIn(name: string, passwordFile: string, endpoint: string): Promise<string | undefined> {
    const password = await readFile(passwordFile, 'utf8').catch((error: unknown) => {
      throw new Error(`the password of the etcd user ${name} cannot be read: ${errorText(error)}`)
    })
    const signal = AbortSignal.any([closing, AbortSignal.timeout(timeoutMs)])
    const { status, text } = await post(endpoint, words.formatLogin(name, password.replace(/\r?\n$/, '')), signal)
    const answered = words.parseLogin(status, text)
    if (answered.result === 'failed') throw new Error(answered.message)
    known = answered
    return tokenOf(answered)
  }

  return {
    token: (endpoint) => {
      if (user === undefined) return Promise.resolve(undefined)
      if (known !== undefined) return Promise.resolve(tokenOf(known))
      const started = running.get(endpoint) ?? logIn(user.name, user.passwordFile, endpoint).finally(() => running.delete(endpoint))
      running.set(endpoint, started)
      return started
    },
    again: (refused) => {
      if (user === undefined) return false
      // Another request may have got a new one meanwhile.
      if (known !== undefined && tokenOf(known) === refused) known = undefined
      return true
    },
  }
}

function tokenOf(login: Login): string | undefined {
  return login.result === 'token' ? login.token : undefined
}

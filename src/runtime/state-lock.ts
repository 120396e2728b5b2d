/**
 * One daemon for one state directory. The lock is a listening socket in the directory: the kernel closes it with its
 * process, however that dies, so a lock is never left behind by mistake, and pid namespaces do not matter.
 */
import { linkSync, openSync, closeSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, connect, type Server } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { errorCode, errorText } from './errors.ts'

export interface StateLock { release(): void }

/** Two starters that both found a dead lock are told apart after this long: the directory entry is the later one's. */
const settleMs = 20

/** Rejects with a message for the administrator when another daemon lives on this directory. */
export async function lockDirectory(directory: string): Promise<StateLock> {
  // A socket's path may have 107 bytes; the way over /proc keeps it short for any directory.
  const handle = openSync(directory, 'r')
  const short = `/proc/self/fd/${handle}`
  const own = `${short}/lock.${process.pid}`
  try {
    rmSync(own, { force: true })
    const server = await listen(own)
    try {
      await claim(directory, short, own)
    } catch (error) {
      server.close()
      throw error
    } finally {
      rmSync(own, { force: true })
    }
    writeFileSync(`${short}/pid`, `${process.pid}\n`)
    return {
      release(): void {
        rmSync(`${directory}/lock`, { force: true })
        rmSync(`${directory}/pid`, { force: true })
        server.close()
      },
    }
  } finally {
    closeSync(handle)
  }
}

async function claim(directory: string, short: string, own: string): Promise<void> {
  const lock = `${short}/lock`
  const inode = statSync(own).ino
  for (let attempt = 0; attempt < 5; attempt += 1) {
    try {
      linkSync(own, lock)
      await sleep(settleMs)
      if (inodeOf(lock) === inode) return
      throw new Error(`another daemon started on the state directory ${directory} at the same moment; this one gives way`)
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error
    }
    if (await isAlive(lock)) throw new Error(inUse(directory))
    const aside = `${lock}.dead.${process.pid}`
    try {
      renameSync(lock, aside)
      rmSync(aside, { force: true })
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error
    }
  }
  throw new Error(`the lock ${directory}/lock cannot be taken: others take it at the same time; type: systemctl status hactl`)
}

function inUse(directory: string): string {
  let pid = ''
  try {
    pid = ` (pid ${readFileSync(`${directory}/pid`, 'utf8').trim()})`
  } catch (error) {
    pid = ` (its pid is not known: ${errorText(error)})`
  }
  return `another daemon${pid} uses the state directory ${directory}: stop it (systemctl stop hactl), or give another --state-dir`
}

function inodeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino
}

function listen(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.once('error', reject)
    server.listen(path, () => {
      server.unref()
      resolve(server)
    })
  })
}

/** A stopped daemon still takes connections, so this tells dead from alive and nothing else. */
function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', (error) => resolve(errorCode(error) !== 'ECONNREFUSED' && errorCode(error) !== 'ENOENT'))
  })
}

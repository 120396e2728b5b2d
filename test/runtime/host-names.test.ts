import type { LookupAddress } from 'node:dns'
import { expect, test } from 'vitest'
import { createLookup, type Resolve } from '../../src/runtime/host-names.ts'

type Lookup = ReturnType<typeof createLookup>

function ask(lookup: Lookup, name: string, all = true): Promise<string | LookupAddress[] | Error> {
  return new Promise((resolve) => lookup(name, { all }, (error, found) => resolve(error ?? found)))
}

function resolver(): { readonly resolve: Resolve; readonly asked: string[]; readonly done: ((error: Error | null, found: readonly LookupAddress[]) => void)[] } {
  const asked: string[] = []
  const done: ((error: Error | null, found: readonly LookupAddress[]) => void)[] = []
  return { asked, done, resolve: (name, tell) => { asked.push(name); done.push(tell) } }
}

const address = { address: '192.0.2.50', family: 4 }

test('many that wait for one name cost one look-up, and what was found serves the next', async () => {
  const { resolve, asked, done } = resolver()
  const lookup = createLookup(resolve)
  const waiting = [ask(lookup, 'etcd'), ask(lookup, 'etcd'), ask(lookup, 'etcd', false)]
  done[0]?.(null, [address])
  expect(await Promise.all(waiting)).toEqual([[address], [address], '192.0.2.50'])
  expect(await ask(lookup, 'etcd')).toEqual([address])
  expect(asked).toEqual(['etcd'])
})

test('a name without an address is an error, and is looked up again', async () => {
  const { resolve, asked, done } = resolver()
  const lookup = createLookup(resolve)
  const first = ask(lookup, 'etcd')
  done[0]?.(new Error('ENOTFOUND'), [])
  expect(await first).toEqual(new Error('ENOTFOUND'))
  const second = ask(lookup, 'etcd')
  done[1]?.(null, [])
  expect(await second).toEqual(new Error('etcd has no address'))
  expect(asked).toEqual(['etcd', 'etcd'])
})

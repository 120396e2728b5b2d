// A real streaming pair of PostgreSQL servers, as a floating address would move between them.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { has, noSandbox, openSandbox, type Result, type Sandbox } from './sandbox.ts'
import { preparePostgres, preparePostgresDirectories } from './servers.ts'

const absent = noSandbox() ?? (has('pg_ctlcluster') ? undefined : 'postgresql is not installed')
describe.skipIf(absent)(`hapostgres: a streaming pair of PostgreSQL servers${absent ? ` (${absent})` : ''}`, () => {
  let a: Sandbox
  let b: Sandbox
  let version: string
  const port = (machine: Sandbox) => (machine === a ? 5432 : 5433)
  const sql = (machine: Sandbox, text: string) => machine.sh(`cd / && runuser -u postgres -- psql -p ${port(machine)} -XAtqc "${text}"`)
  const ctl = (machine: Sandbox, action: string) => machine.sh(`pg_ctlcluster ${version} main ${action} >/dev/null 2>&1`)
  const data = () => `/var/lib/postgresql/${version}/main`
  const until = (machine: Sandbox, text: string, wanted: string) =>
    machine.sh(`cd /; for n in $(seq 300); do [ "$(runuser -u postgres -- psql -p ${port(machine)} -XAtqc "${text}" 2>&1)" = "${wanted}" ] && exit 0; sleep 0.1; done; echo "never: ${text} = ${wanted}"; exit 1`)
  const act = (machine: Sandbox, action: string, env: Record<string, string> = {}, words = '') => machine.script(`hapostgres${words}`, action, { env })
  const refusal = (text: string) => ({ code: 1, stderr: expect.stringContaining(text) as string })
  const ok = { code: 0 } satisfies Partial<Result>

  /** A is the primary, B streams from it; each knows how to reach the other. */
  beforeEach(async () => {
    a = await openSandbox('node-a')
    version = await preparePostgres(a, 5432)
    await a.sh(`cd /etc/postgresql/${version}/main
sed -i '1i host replication replica 127.0.0.1/32 trust' pg_hba.conf
printf "wal_keep_size='64MB'\\nwal_receiver_timeout=3s\\nwal_retrieve_retry_interval=200ms\\nprimary_conninfo='host=127.0.0.1 port=5433 user=replica'\\n" >>postgresql.conf`)
    await ctl(a, 'start')
    await sql(a, 'create role replica replication login; create table t (n int)')
    b = await openSandbox('node-b', a)
    await preparePostgresDirectories(b)
    await b.sh(`mkdir -p /var/lib/postgresql/${version} && chown -R postgres: /var/lib/postgresql
cd / && runuser -u postgres -- /usr/lib/postgresql/${version}/bin/pg_basebackup -w -h 127.0.0.1 -p 5432 -U replica -D ${data()} -X stream -c fast
runuser -u postgres -- touch ${data()}/standby.signal`)
    const configuration = await a.sh(`tar -c -C /etc/postgresql ${version} | base64 -w0`)
    await b.sh(`base64 -d | tar -x -C /etc/postgresql
cd /etc/postgresql/${version}/main && sed -i -e 's/port=5433/port=X/; s/^port = 5432/port = 5433/; s/port=X/port=5432/' postgresql.conf`, { input: configuration })
    await ctl(b, 'start')
    await until(b, 'select status from pg_stat_wal_receiver', 'streaming')
  })
  afterEach(async () => {
    await b?.close()
    await a?.close()
  })

  test('the primary moves to the standby, and back to the stopped one after it has followed; no write is lost', async () => {
    expect(await act(a, 'start')).toMatchObject({ code: 0, stdout: expect.stringContaining('already') as string })
    expect(await act(b, 'status')).toMatchObject({ code: 3, stdout: expect.stringContaining('standby') as string })
    await sql(a, 'insert into t values (1)')
    expect(await act(a, 'stop')).toMatchObject(ok)
    expect(await act(a, 'status')).toMatchObject({ code: 3 })
    expect(await act(b, 'start')).toMatchObject(ok)
    expect(await act(b, 'status')).toMatchObject(ok)
    await sql(b, 'insert into t values (2)')
    // Whoever starts the old primary now gets a standby, which follows the new one.
    await ctl(a, 'start')
    await until(a, 'select count(*) from t', '2')
    expect(await act(a, 'status')).toMatchObject({ code: 3 })
    expect(await act(b, 'stop')).toMatchObject(ok)
    expect(await act(a, 'start')).toMatchObject(ok)
    expect(await sql(a, 'insert into t values (3); select count(*) from t')).toBe('3')
  })

  test('`standby`: after stop it follows the new primary by itself', async () => {
    await act(a, 'start')
    expect(await act(a, 'stop', {}, ' standby')).toMatchObject(ok)
    expect(await act(b, 'start')).toMatchObject(ok)
    await sql(b, 'insert into t values (1)')
    await until(a, 'select count(*) from t', '1')
  })

  test('`leave`: the primary stays up, and the standby beside it is not promoted', async () => {
    expect(await act(a, 'stop', { HAPOSTGRES_ON_STOP: 'leave' })).toMatchObject(ok)
    expect(await act(a, 'status')).toMatchObject(ok)
    expect(await act(b, 'start', { HAPOSTGRES_ACCEPT_LOSS: 'yes' })).toMatchObject(refusal('a second one would split the data'))
    expect(await sql(b, 'select pg_is_in_recovery()')).toBe('t')
  })

  test('the host of the primary dies: the standby is promoted with all it has; the old primary does not come back as a second one', async () => {
    await act(a, 'start')
    await sql(a, 'insert into t values (1)')
    await until(b, 'select count(*) from t', '1')
    await a.sh('pkill -9 -x postgres; sleep 0.3')
    expect(await act(b, 'start')).toMatchObject(ok)
    await sql(b, 'insert into t values (2)')
    // The host is back, without what was on its /run; the script is asked to make it primary while the other one lives.
    await a.sh('rm -rf /run/hactl-state')
    expect(await act(a, 'start', { HAPOSTGRES_ACCEPT_LOSS: 'yes' })).toMatchObject(refusal('up and primary'))
    await ctl(b, 'stop')
    expect(await act(a, 'start')).toMatchObject(refusal('did not stop in order (in production)'))
    expect(await act(a, 'status')).toMatchObject({ code: 1 })
  })

  test('a server that crashed is primary again in place, though the peer is gone', async () => {
    await act(a, 'start')
    await sql(a, 'insert into t values (1)')
    await b.close()
    await a.sh(`kill -9 $(head -1 ${data()}/postmaster.pid); sleep 0.5`)
    expect(await act(a, 'status')).toMatchObject({ code: 1 })
    expect(await act(a, 'stop')).toMatchObject(ok)
    expect(await a.sh(`ls ${data()}/standby.signal`)).not.toBe('')
    expect(await act(a, 'start')).toMatchObject(ok)
    expect(await sql(a, 'insert into t values (2); select count(*) from t')).toBe('2')
  })

  test('a primary that was stopped long ago, its peer silent, is not started as a primary: the peer may have been one since', async () => {
    await act(a, 'start')
    expect(await act(a, 'stop')).toMatchObject(ok)
    await ctl(b, 'stop')
    const late = { HAPOSTGRES_RETURN_WINDOW: '0' }
    await a.sh('sleep 1.1')
    expect(await act(a, 'start', late)).toMatchObject(refusal('has not streamed since its server started'))
    expect(await act(a, 'status')).toMatchObject({ code: 3 })
    expect(await act(a, 'stop')).toMatchObject(ok)
    // The peer comes up as a standby that has no more than this one: then it is known that nothing is lost.
    await ctl(b, 'start')
    await until(b, 'select pg_is_in_recovery()', 't')
    expect(await act(a, 'start', late)).toMatchObject(ok)
    await sql(a, 'insert into t values (1)')
  })

  // A line of 200 kB/s between the servers: while 20 MB are on their way, the standby knows how much it lacks.
  const slowLine = `require("node:net").createServer((near) => {
    const far = require("node:net").connect(5432, "127.0.0.1")
    near.pipe(far)
    far.on("data", (chunk) => { near.write(chunk); far.pause(); setTimeout(() => far.resume(), chunk.length / 200) })
    for (const end of [near, far]) end.on("error", () => undefined)
  }).listen(6000, "127.0.0.1")`

  test('a standby that lacks more than the limit is refused, with the figure', async () => {
    await b.sh(`node -e '${slowLine}' >/dev/null 2>&1 </dev/null & sleep 0.5`)
    await sql(b, "alter system set primary_conninfo = 'host=127.0.0.1 port=6000 user=replica'")
    await sql(b, 'select pg_reload_conf()')
    await until(a, 'select count(*) from pg_stat_replication', '1')
    await sql(a, 'create table big as select generate_series(1, 300000)')
    await until(b, 'select pg_wal_lsn_diff(latest_end_lsn, pg_last_wal_receive_lsn()) > 2000000 from pg_stat_wal_receiver', 't')
    const start = await act(b, 'start', { HAPOSTGRES_MAX_LAG_BYTES: '1000000', HAPOSTGRES_LAG_WAIT: '1' })
    expect(start).toMatchObject(refusal('HAPOSTGRES_MAX_LAG_BYTES=1000000'))
    expect(start.stderr).toMatch(/lacks [1-9]\d{6,} bytes/)
    expect(await sql(b, 'select pg_is_in_recovery()')).toBe('t')
  })

  test('a stop that cannot end clients in order cuts them off, and says so', async () => {
    await act(a, 'start')
    await a.sh(`kill -STOP $(pgrep -f '[c]heckpointer')`)
    const stop = act(a, 'stop', { HAPOSTGRES_STOP_WAIT: '2' })
    expect(await stop).toMatchObject({ code: 0, stderr: expect.stringContaining('cutting it off') as string })
    expect(await act(a, 'status')).toMatchObject({ code: 3 })
  })

  test('a plain data directory without Debian\'s tools for clusters', async () => {
    await a.sh(`runuser -u postgres -- /usr/lib/postgresql/${version}/bin/initdb -N -D /var/lib/postgresql/plain >/dev/null
printf "port=5555\\nunix_socket_directories='/var/lib/postgresql'\\n" >>/var/lib/postgresql/plain/postgresql.conf`)
    const plain = ' /var/lib/postgresql/plain'
    for (const [action, code] of [['status', 3], ['start', 0], ['status', 0], ['stop', 0], ['status', 3]] as const) {
      expect([action, await act(a, action, {}, plain)]).toMatchObject([action, { code }])
    }
    expect(await act(a, 'status')).toMatchObject({ code: 0 })
  })

  test('several clusters: the one is to be named; one that is not there is said to be missing', async () => {
    await a.sh(`pg_createcluster --port 5600 ${version} other -- --no-sync >/dev/null`)
    expect(await act(a, 'start')).toMatchObject({ code: 6, stderr: expect.stringContaining(`hapostgres::${version}/main`) as string })
    expect(await act(a, 'start', {}, ` ${version}/main`)).toMatchObject(ok)
    expect(await act(a, 'start', {}, ` ${version}/third`)).toMatchObject({ code: 6, stderr: expect.stringContaining('no cluster') as string })
  })
})

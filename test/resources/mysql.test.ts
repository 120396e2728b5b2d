// A real pair of MariaDB servers, each the replica of the other, as a floating address would move between them.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { has, noSandbox, openSandbox, type Sandbox } from './sandbox.ts'
import { prepareMariadb } from './servers.ts'

const absent = noSandbox() ?? (has('mariadbd') ? undefined : 'mariadb-server is not installed')
describe.skipIf(absent)(`mysql: a pair of MariaDB servers${absent ? ` (${absent})` : ''}`, () => {
  let a: Sandbox
  let b: Sandbox
  const sql = (machine: Sandbox, text: string) => machine.sh(`mariadb -N -B -e "${text}"`)
  const port = (machine: Sandbox) => (machine === a ? 3306 : 3307)
  /** As a client of the floating address would: over TCP, without special rights. */
  const asClient = (machine: Sandbox, text: string) => machine.run(['mariadb', '-h127.0.0.1', `-P${port(machine)}`, '-uapp', '-pword', '-N', '-B', '-e', text])
  const until = (machine: Sandbox, text: string, wanted: string) =>
    machine.sh(`for n in $(seq 200); do [ "$(mariadb -N -B -e "${text}" 2>/dev/null)" = "${wanted}" ] && exit 0; sleep 0.1; done; echo "never: ${text} = ${wanted}"; exit 1`)
  const startServer = (machine: Sandbox) => machine.sh('/etc/init.d/mariadb start >/dev/null 2>&1')
  const follow = (machine: Sandbox) => {
    const source = machine === a ? b : a
    return sql(machine, `change master to master_host='127.0.0.1', master_port=${port(source)}, master_user='replica', master_password='word',
      master_use_gtid=slave_pos, master_connect_retry=1; start slave`)
  }

  beforeEach(async () => {
    a = await openSandbox('node-a')
    b = await openSandbox('node-b', a)
    for (const [index, machine] of [a, b].entries()) {
      await prepareMariadb(machine, index + 1)
      await startServer(machine)
      await sql(machine, `set global read_only=0; create database app; create table app.t (n int);
        create user replica@'127.0.0.1' identified by 'word'; grant replication slave on *.* to replica@'127.0.0.1';
        create user app@'127.0.0.1' identified by 'word'; grant all on app.* to app@'127.0.0.1'; reset master; set global read_only=1`)
    }
    await follow(a)
    await follow(b)
  })
  afterEach(async () => {
    await b?.close()
    await a?.close()
  })
  const insert = (n: number) => `insert into app.t values (${n})`
  const has1 = (machine: Sandbox, n: number) => until(machine, `select count(*) from app.t where n=${n}`, '1')

  test('the writable side moves there and back, and no write is lost', async () => {
    expect(await a.script('mysql', 'status')).toMatchObject({ code: 3, stdout: expect.stringContaining('read-only') as string })
    expect(await a.script('mysql', 'start')).toMatchObject({ code: 0 })
    expect(await asClient(a, insert(1))).toMatchObject({ code: 0 })
    expect((await asClient(b, insert(99))).stderr).toContain('--read-only')
    for (const [from, to, n] of [[a, b, 2], [b, a, 3]] as const) {
      expect(await from.script('mysql', 'stop')).toMatchObject({ code: 0 })
      expect(await from.script('mysql', 'status')).toMatchObject({ code: 3 })
      expect((await asClient(from, insert(99))).stderr).toContain('--read-only')
      expect(await to.script('mysql', 'start')).toMatchObject({ code: 0 })
      expect(await asClient(to, insert(n))).toMatchObject({ code: 0 })
    }
    for (const machine of [a, b]) for (const n of [1, 2, 3]) await has1(machine, n)
  })

  test('stop throws clients out: an open transaction is not committed afterwards, a long statement does not hold stop up', async () => {
    await a.script('mysql', 'start')
    const open = asClient(a, `begin; ${insert(7)}; select sleep(40); commit`)
    const locked = asClient(a, 'lock tables app.t write; select sleep(40)')
    await until(a, "select count(*) from information_schema.processlist where user='app'", '2')
    expect(await a.script('mysql', 'stop')).toMatchObject({ code: 0 })
    expect((await open).code).not.toBe(0)
    expect((await locked).code).not.toBe(0)
    expect(await sql(a, 'select count(*) from app.t where n=7')).toBe('0')
    expect(await b.sh("mariadb -e 'show slave status\\G'")).toContain('Slave_IO_Running: Yes')
  })

  test('a replica that stopped with an error is refused, with the error; it stays read-only', async () => {
    await a.script('mysql', 'start')
    await sql(b, 'set sql_log_bin=0; drop table app.t')
    await asClient(a, insert(1))
    await until(b, "select count(*) from information_schema.processlist where user='system user' and command='Slave_SQL'", '0')
    await a.script('mysql', 'stop')
    const start = await b.script('mysql', 'start')
    expect(start.code).toBe(1)
    expect(start.stderr).toMatch(/refused: .*applying stopped with error 1146: .*'app\.t' doesn't exist/)
    expect(await b.script('mysql', 'status')).toMatchObject({ code: 3 })
    expect(await b.script('mysql', 'stop')).toMatchObject({ code: 0 })
    expect(await b.script('mysql', 'start', { env: { HA_MYSQL_ACCEPT_LOSS: 'yes' } })).toMatchObject({ code: 0 })
  })

  test('a replica that may not log in at its source is refused: it has been getting old for an unknown time', async () => {
    await sql(b, "stop slave; change master to master_password='wrong'; start slave")
    await b.sh(`for n in $(seq 100); do mariadb -e 'show slave status\\G' | grep -q 'Last_IO_Errno: 1045' && exit; sleep 0.1; done; exit 1`)
    expect(await b.script('mysql', 'start')).toMatchObject({ code: 1, stderr: expect.stringContaining('error 1045') as string })
  })

  test('with the other host dead, what was received is applied first, and then the server is writable', async () => {
    await a.script('mysql', 'start')
    await sql(b, 'stop slave sql_thread')
    await asClient(a, insert(1))
    await b.sh(`for n in $(seq 100); do mariadb -e 'show slave status\\G' | awk '/Read_Master_Log_Pos/ { r = $2 } /Exec_Master_Log_Pos/ { e = $2 } END { exit !(r > e) }' && exit; sleep 0.1; done; exit 1`)
    await a.close()
    expect(await b.script('mysql', 'start')).toMatchObject({ code: 1, stderr: expect.stringContaining('does not run') as string })
    await sql(b, 'lock tables app.t write; start slave sql_thread')
    expect(await b.script('mysql', 'start')).toMatchObject({ code: 0 })
    expect(await sql(b, 'select count(*) from app.t where n=1')).toBe('1')
    expect(await asClient(b, insert(2))).toMatchObject({ code: 0 })
  })

  test('what is not applied in time is refused, with the positions', async () => {
    await a.script('mysql', 'start')
    const lock = b.run(['mariadb', '-e', 'lock tables app.t read; select sleep(60)'])
    await until(b, "select count(*) from information_schema.processlist where info like 'select sleep%'", '1')
    await asClient(a, insert(1))
    await until(b, "select count(*) from information_schema.processlist where state like 'Waiting for table metadata lock%'", '1')
    await a.script('mysql', 'stop')
    const start = await b.script('mysql', 'start', { env: { MYSQL_APPLY_WAIT: '2' } })
    expect(start.code).toBe(1)
    expect(start.stderr).toMatch(/after 2 s not all that was received is applied: behind .*received bin\.\d+:\d+, applied bin\.\d+:\d+/)
    await b.close()
    await lock
  })

  test('a server that is down is started first; `mysql::stop` shuts it down again', async () => {
    await a.sh('/etc/init.d/mariadb stop >/dev/null 2>&1')
    expect(await a.script('mysql stop', 'status')).toMatchObject({ code: 3, stdout: expect.stringContaining('down') as string })
    expect(await a.script('mysql stop', 'start')).toMatchObject({ code: 0 })
    expect(await a.script('mysql stop', 'status')).toMatchObject({ code: 0 })
    expect(await a.script('mysql stop', 'stop')).toMatchObject({ code: 0 })
    expect(await a.sh('pgrep -c mariadbd || true')).toBe('0')
  })

  test('a frozen server: status does not say that it runs, stop fails in time instead of calling it stopped', async () => {
    await a.script('mysql', 'start')
    await a.sh('pkill -STOP -x mariadbd')
    expect(await a.script('mysql', 'status')).toMatchObject({ code: 4 })
    expect(await a.script('mysql', 'stop')).toMatchObject({ code: 1, stderr: expect.stringContaining('may still take writes') as string })
  })

  test('a login file is used; where it cannot be read while the server runs, nobody claims to know', async () => {
    await a.sh("printf '[client]\\nhost=127.0.0.1\\nport=3306\\nuser=app\\npassword=word\\n' >/etc/login.cnf")
    expect(await a.script('mysql /etc/login.cnf', 'status')).toMatchObject({ code: 3 })
    expect(await a.script('mysql /etc/missing.cnf', 'status')).toMatchObject({ code: 4 })
    expect(await a.script('mysql /etc/missing.cnf', 'start')).toMatchObject({ code: 6 })
  })
})

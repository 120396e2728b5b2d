/** What a sandbox needs before a shipped script can work in it. */
import type { Sandbox } from './sandbox.ts'

/** A sendmail that files each message, with its arguments, under /run/mail. */
const fakeSendmail = `mkdir -p /run/mail /run/programs
cat >/run/programs/sendmail <<'END'
#!/bin/sh
file=$(mktemp /run/mail/XXXXXX)
{ echo "arguments: $*"; cat; } >"$file.tmp" && mv "$file.tmp" "$file.mail" && rm "$file"
END
chmod 755 /run/programs/sendmail`

export async function prepare(script: string, machine: Sandbox): Promise<void> {
  switch (script) {
    case 'webdemo': return
    case 'apache2': {
      await machine.sh('echo "ServerName node" >/etc/apache2/conf-enabled/server-name.conf; chown root:adm /var/log/apache2 || true')
      return
    }
    case 'MailTo': {
      await machine.sh(fakeSendmail)
      return
    }
    case 'mysql': {
      await prepareMariadb(machine, 1)
      return
    }
    case 'hapostgres': {
      await preparePostgres(machine)
      return
    }
    default: throw new Error(`nobody says how to prepare a sandbox for ${script}`)
  }
}

/** An empty MariaDB server with `number` as its server id; its port is 3305 + number. It is not started. */
export async function prepareMariadb(machine: Sandbox, number: number): Promise<void> {
  await machine.sh(`cat >/etc/mysql/mariadb.conf.d/60-test.cnf <<END
[mysqld]
user=mysql
server_id=${number}
gtid_domain_id=${number}
port=${3305 + number}
log_bin=/var/lib/mysql/bin
log_slave_updates=1
auto_increment_increment=2
auto_increment_offset=${number}
read_only=1
innodb_buffer_pool_size=16M
[client]
port=${3305 + number}
END
printf '[client]\\nhost=localhost\\nuser=root\\n' >/etc/mysql/debian.cnf
mkdir -p /run/mysqld && chown mysql: /run/mysqld /var/lib/mysql
mariadb-install-db --user=mysql --skip-test-db --auth-root-authentication-method=socket >/dev/null`)
}

/** An empty PostgreSQL cluster, VERSION/main, not started. Returns its version. */
export async function preparePostgres(machine: Sandbox, port = 5432): Promise<string> {
  await preparePostgresDirectories(machine)
  return machine.sh(`version=$(ls /usr/lib/postgresql | sort -n | tail -n 1)
pg_createcluster --port ${port} "$version" main -- --no-sync >/dev/null
echo "$version"`)
}

export async function preparePostgresDirectories(machine: Sandbox): Promise<void> {
  await machine.sh(`rm -rf /etc/postgresql/*
mkdir -p /var/lib/postgresql /run/postgresql /var/log/postgresql
chown postgres: /var/lib/postgresql /run/postgresql /etc/postgresql /var/log/postgresql`)
}

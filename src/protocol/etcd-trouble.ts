/** What etcd's refusals mean to the person who must do something about them. */

/** With what this node comes to etcd. */
export interface EtcdIdentity {
  readonly keySpace: string
  readonly user?: { readonly name: string; readonly passwordFile: string }
}

export interface EtcdError { readonly code?: number; readonly message: string }

const noSpace = 'etcd has no space left (alarm NOSPACE): it renews grants and gives none. '
  + 'Type there: etcdctl compact REVISION; etcdctl defrag; etcdctl alarm disarm'

export function explain({ message }: EtcdError, { keySpace, user }: EtcdIdentity): string {
  if (message.includes('database space exceeded')) return noSpace
  if (message.includes('permission denied')) {
    const role = `it needs: etcdctl role grant-permission ROLE --prefix=true readwrite ${keySpace}`
    return user === undefined ? `etcd permits no access to ${keySpace} without a user (witness: etcd: user, password_file); ${role}` : `the etcd user ${user.name} may not read and write ${keySpace}: ${role}`
  }
  if (message.includes('invalid user ID or password')) {
    return user === undefined ? 'etcd wants a user and a password' : `etcd refuses the user ${user.name}: no such user, or ${user.passwordFile} has another password`
  }
  if (message.includes('user name is empty')) return 'etcd has authentication enabled, and no user is configured (witness: etcd: user)'
  if (message.includes('CommonName of client')) {
    return 'this etcd has users, and then takes no client certificate with a CommonName: issue that of this node without one (-subj /O=hactl)'
  }
  if (message.includes('no leader')) return 'this member of etcd sees no majority'
  return message.startsWith('HTTP status 404') ? 'no /v3 there: etcd 3.4 or newer is needed' : message
}

/** Of the alarms that a member tells in its status. A corrupt cluster serves nothing anyway. */
export function complaintOf(errors: unknown): string {
  if (!Array.isArray(errors)) return ''
  const alarms = errors.filter((one) => typeof one === 'string' && /alarm:(NOSPACE|CORRUPT)/.test(one))
  if (alarms.length === 0) return ''
  return alarms.some((one) => String(one).includes('NOSPACE')) ? noSpace : `etcd has the alarm CORRUPT: ${String(alarms[0])}`
}

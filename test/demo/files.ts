/** The three files of the quick start, as any Heartbeat tutorial has them; only the times are shorter. */
export const floatingAddress = '192.0.2.100'

export const haCf = `# /etc/ha.d/ha.cf, the same on both hosts
keepalive 200ms
warntime 500ms
deadtime 1
initdead 5
udpport 694
bcast eth0
auto_failback on
node alpha beta
`

export const haresources = `# /etc/ha.d/haresources, the same on both hosts
alpha IPaddr::${floatingAddress}/24/eth0 webdemo
`

export const warmYaml = `# /etc/ha.d/hactl.yaml, beside the three files: what ha.cf cannot say
resources:
  webdemo: { warm: true }
`

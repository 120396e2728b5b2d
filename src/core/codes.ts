/** Every code that a record of the core can carry. README section 8 explains each; test/documentation.test.ts compares both ways. */
export const coreCodes = [
  'daemon-started', 'daemon-ready', 'daemon-leaving', 'daemon-left', 'resources-found', 'was-stalled',
  'peer-alive', 'peer-late', 'peer-dead', 'peer-left', 'peer-restarted', 'peer-stalled', 'peer-classic', 'peer-one-way', 'peer-deaf',
  'link-up', 'link-down', 'link-failed', 'link-open', 'config-differs', 'config-agrees', 'config-reloaded',
  'claim-sent', 'claim-withdrawn', 'claim-granted', 'permission-lost', 'placement-changed',
  'group-offered', 'group-acquiring', 'group-held', 'group-adopted', 'group-releasing', 'group-released', 'group-unclean', 'group-clean', 'group-failed',
  'resource-started', 'resource-stopped', 'resource-failed', 'resource-slow', 'resource-restarting', 'resource-recovered', 'status-unknown', 'address-stripped',
  'lease-expired', 'lease-failed', 'peer-died', 'will-heard', 'witness-reachable', 'witness-unreachable', 'grant-given', 'grant-refused', 'grant-lost', 'grant-returned',
  'ping-up', 'ping-down', 'fence-begins', 'fence-runs', 'fence-failed', 'peer-fenced', 'fence-contradicted', 'flap-guard-on', 'flap-guard-off', 'address-contested', 'not-stopped-in-time', 'host-resets', 'host-spared',
  'two-holders', 'two-holders-over', 'standby-on', 'standby-off', 'pause-on', 'pause-off', 'persist-failed', 'admin-requested', 'admin-replied',
] as const

/** Codes of the runtime's own happenings: drops of packets, outside programs, the history's own trouble. */
export const runtimeCodes = [
  'packets-dropped', 'address-program-restarted', 'announce-failed', 'script-output-cut', 'history-failed', 'log-lines-dropped', 'native-calls-missing', 'notify-failed', 'control-failed', 'witness-trouble',
  'ping-failed', 'fence-trouble', 'watchdog-failed',
  'guard-acted', 'guard-restarted', 'guard-failed', 'generation-renewed', 'peer-legacy', 'key-unknown', 'counted-dead',
] as const

export type Code = (typeof coreCodes)[number] | (typeof runtimeCodes)[number]

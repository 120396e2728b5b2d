/** Every code that `hactl migrate --check` says beside those of `hactl check`, with the sentence that documents it. */
export const migrationCodes = {
  'heartbeat-runs': 'A Heartbeat runs on this host: what it holds, and whether it is started at boot.',
  'heartbeat-unsettled': 'It starts or stops resources: it would not end before that is over.',
  'heartbeat-missing': 'No Heartbeat runs on this host, so that none hands anything over; or none is installed.',
  'peer-seen': 'What this Heartbeat says of the other host, and of the links to it. Nothing is sent to ask.',
  'peer-gone': 'This Heartbeat does not see the other host: nobody would take over.',
  'port-taken': 'Another program than Heartbeat has the UDP port: hactl would not start.',
  'identity-kept': 'The generation and the uuid that hactl will go on with, so that the other host sees the same node.',
  'identity-new': 'hb_generation or hb_uuid is missing or damaged: what hactl does instead.',
  'files-compare': 'Whether both hosts have the same files cannot be seen from one: what to type.',
  'hactl-runs': 'hactl runs on this host already.',
  'hactl-unit': 'The systemd unit of hactl, or the program that it calls, is not in its place.',
  'yaml-counts': 'hactl goes by a hactl.yaml, and not by the files of Heartbeat.',
  'step-stop': 'What happens when Heartbeat is stopped on this host.',
  'step-start': 'What happens when hactl is started in its place.',
  'step-other': 'What happens when the other host follows.',
  'step-back': 'How to go back, at any time.',
  'failback-legacy-mode': 'The Heartbeats are in legacy mode, which knows no standby and no failback off.',
  'script-other': 'hactl runs another script of the same name than Heartbeat does.',
  'address-own': 'Addresses that hactl serves itself, where Heartbeat runs IPaddr or IPaddr2; how they look different.',
  'address-lease': 'Addresses have a lifetime in the kernel, which hactl renews.',
  'times': 'The times of the pair, and where hactl goes by others than Heartbeat.',
  'tools-differ': 'The commands, and the pipe, that speak to Heartbeat only; what to type in their place, and how the commands come back.',
  'mixed-promises': 'What does not hold while one host runs hactl and the other Heartbeat.',
  'mixed-time': 'How long that may be.',
} as const satisfies Readonly<Record<string, string>>

export type MigrationCode = keyof typeof migrationCodes

/** `hactl migrate --check`: what is so on this host before anything is touched. */
import type { Migration, MigrationFacts, MigrationFinding } from './migration.ts'
import { namesOf, told } from './migration-words.ts'

export function asItIsNow(migration: Migration): readonly MigrationFinding[] {
  const { peer, facts } = migration
  return [...heartbeatHere(migration), ...peerSeen(peer, facts), ...identity(facts), ...inPlace(facts),
    told('now', 'note', 'files-compare',
      `whether ${peer} has the same files cannot be seen from here. Type on both, and compare: sha256sum /etc/ha.d/ha.cf /etc/ha.d/haresources /etc/ha.d/authkeys`)]
}

function heartbeatHere({ config, peer, held, facts }: Migration): readonly MigrationFinding[] {
  const { heartbeat, says, hactl, portTaken } = facts
  const taken = portTaken && heartbeat?.pid === undefined && !hactl.runs ? [told('now', 'warning', 'port-taken',
    `UDP port ${config.udpPort} is taken, and not by a Heartbeat: hactl would not start. To see by whom: ss -ulpn 'sport = :${config.udpPort}'`)] : []
  if (heartbeat?.pid === undefined) {
    const why = heartbeat === undefined ? 'Heartbeat is not installed here' : 'Heartbeat is installed here and does not run'
    return [...taken, told('now', 'warning', 'heartbeat-missing',
      `${why}: nothing is handed over. If ${peer} serves everything, leave out the step that stops Heartbeat`)]
  }
  const holds = held === undefined ? '' : held.length === 0 ? ' and holds nothing' : ` and holds ${namesOf(held)}`
  const boot = heartbeat.atBoot ? ', is started at boot' : ''
  const runs = told('now', 'note', 'heartbeat-runs', `Heartbeat${heartbeat.version === undefined ? '' : ` ${heartbeat.version}`} runs here (pid ${heartbeat.pid})${boot}` +
    `${holds}. It has UDP port ${config.udpPort}, as it should, until it ends`)
  if (says?.holding !== 'transition') return [runs]
  return [runs, told('now', 'warning', 'heartbeat-unsettled',
    'it starts or stops resources at the moment, and would not end before that is over. Wait until cl_status rscstatus says all, local, foreign or none')]
}

function peerSeen(peer: string, { says, heartbeat }: MigrationFacts): readonly MigrationFinding[] {
  if (says === undefined) {
    return heartbeat?.pid === undefined ? [] : [told('now', 'warning', 'peer-gone',
      `Heartbeat here does not say whether it sees ${peer}. Type: cl_status nodestatus ${peer}. Go on only if it says active`)]
  }
  if (says.peerStatus !== 'active') {
    return [told('now', 'warning', 'peer-gone',
      `Heartbeat here says that ${peer} is ${says.peerStatus}: nobody would take over when it is stopped. Go on when cl_status nodestatus ${peer} says active`)]
  }
  const links = says.links.map(({ name, status }) => `${name} ${status}`).join(', ')
  return [told('now', says.links.some(({ status }) => status !== 'up') ? 'warning' : 'note', 'peer-seen',
    `Heartbeat here says that ${peer} is active${links === '' ? '' : `, its links: ${links}`}`)]
}

function identity({ identity: { generation, uuid, next, own }, heartbeat }: MigrationFacts): readonly MigrationFinding[] {
  if (own) return [told('now', 'note', 'identity-kept', `hactl has run here before and goes on with its own uuid, and generation ${next}`)]
  if (generation === 'kept' && uuid === 'kept') {
    return [told('now', 'note', 'identity-kept', `hactl goes on as the same node: with generation ${next}, which is above hb_generation, and the uuid of hb_uuid`)]
  }
  if (heartbeat === undefined) return []
  const faults = [...(generation === 'kept' ? [] : [`hb_generation is ${generation}: hactl counts from the clock (${next}), which the other host accepts unless its own ` +
    'record of this node is higher']),
  ...(uuid === 'kept' ? [] : [`hb_uuid is ${uuid}: this node gets a new uuid, which the other host accepts`])]
  return [told('now', 'warning', 'identity-new', `in /var/lib/heartbeat ${faults.join('; ')}`)]
}

function inPlace({ hactl }: MigrationFacts): readonly MigrationFinding[] {
  if (hactl.runs) return [told('now', 'warning', 'hactl-runs', 'hactl runs on this host already. Type: hactl status')]
  if (hactl.unit && hactl.program) return []
  const missing = [...(hactl.unit ? [] : ['the unit hactl.service is not installed (cp "$(npm root -g)/hactl/systemd/hactl.service" /etc/systemd/system/ && ' +
    'systemctl daemon-reload)']), ...(hactl.program ? [] : ['/usr/bin/hactl, which it calls, is not there (ln -s "$(command -v hactl)" /usr/bin/hactl)'])]
  return [told('now', 'warning', 'hactl-unit', missing.join('; '))]
}

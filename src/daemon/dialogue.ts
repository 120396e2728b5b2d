/** The dialogue with a real Heartbeat, as the wire uses it: its state, and what of the configuration it goes by. */
import { settingGroups } from '../classic/keys.ts'
import { createDialogue, dialogueDueMs, dialogueStep, isExchanging, withGroups } from '../classic/dialogue.ts'
import type { ClusterConfig, NodeName } from '../core/config.ts'
import type { Dialogue } from './classic-types.ts'

export function openDialogue(config: ClusterConfig, self: NodeName, peer: NodeName): Dialogue {
  let state = createDialogue({ self, peer, groups: settingGroups(config.groups) })
  return {
    step(input) {
      const { state: next, outputs } = dialogueStep(state, input)
      state = next
      return outputs
    },
    dueMs: () => dialogueDueMs(state),
    isExchanging: (nowMs) => isExchanging(state, nowMs),
    useGroups: (groups) => { state = withGroups(state, settingGroups(groups)) },
  }
}

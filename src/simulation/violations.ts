/** Where a broken rule is written down. The run ends with the first. */
import type { Rule } from './ledger.ts'
import { tell, type World } from './world.ts'

export function violate(world: World, rule: Rule, message: string): void {
  world.ledger.violations.push({ rule, trueMs: world.nowMs, message })
  tell(world, 'world', `VIOLATION ${rule}: ${message}`)
}

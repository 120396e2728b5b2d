/** The real core, as the simulator is given it. */
import { nextDeadlineMs } from '../core/deadlines.ts'
import { createState } from '../core/create-state.ts'
import { statusReport } from '../core/status.ts'
import { step } from '../core/step.ts'
import type { DecisionCore } from './world.ts'

export const realCore: DecisionCore = { createState, step, nextDeadlineMs, statusReport }

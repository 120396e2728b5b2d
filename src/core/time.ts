/** Milliseconds. An instant is of the monotonic clock that the events of one daemon share; a duration ends in `Ms` as well. */
export type Millis = number

/** What is due some time, gathered by each rule in turn (deadlines.ts). */
export type Dues = (Millis | undefined)[]

/** The runtime ends a program at its timeout and reports that; so much later its silence counts as a timeout. */
export const programGraceMs: Millis = 15_000
/** The runtime answers within the witness timeout, or 0.9 s later where many groups ask at once; this much later its silence counts as no answer. */
export const witnessGraceMs: Millis = 1_000

/** Milliseconds of the wall clock, for people and records only: no decision rests on it but the pause check. */
export type WallMillis = number

/** Milliseconds. An instant is of the monotonic clock that the events of one daemon share; a duration ends in `Ms` as well. */
export type Millis = number

/** What is due some time, gathered by each rule in turn (deadlines.ts). */
export type Dues = (Millis | undefined)[]

/** Milliseconds of the wall clock, for people and records only: no decision rests on it but the pause check. */
export type WallMillis = number

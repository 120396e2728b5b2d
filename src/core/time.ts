/** Milliseconds. An instant is of the monotonic clock that the events of one daemon share; a duration ends in `Ms` as well. */
export type Millis = number

/** Milliseconds of the wall clock, for people and records only: no decision rests on it but the pause check. */
export type WallMillis = number

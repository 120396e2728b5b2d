import { conversations } from '../lab/heartbeat/conversations.ts'

conversations('alpha')

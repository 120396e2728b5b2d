import { conversations } from './heartbeat/conversations.ts'

conversations('beta')

import { conversations } from './heartbeat/conversations.ts'

conversations('alpha')

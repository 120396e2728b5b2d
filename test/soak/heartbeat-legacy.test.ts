import { legacyConversations } from '../lab/heartbeat/legacy.ts'

legacyConversations('alpha')
legacyConversations('beta')

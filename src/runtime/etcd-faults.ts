/** What a failed connection to etcd says to the person who must mend it. */
import type { EtcdConfig } from '../core/config.ts'
import { errorCode, errorText } from './errors.ts'

/** Codes of Node for a server's certificate that does not do. */
const unknownAuthority = ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'SELF_SIGNED_CERT_IN_CHAIN', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'UNABLE_TO_GET_ISSUER_CERT', 'CERT_SIGNATURE_FAILURE']

/** Without the endpoint's name, which stands before it. */
export function connectionFault(error: unknown, etcd: Pick<EtcdConfig, 'caFile' | 'certificateFile'>): string {
  const [code, text] = [errorCode(error), errorText(error)]
  const signed = etcd.caFile === undefined ? 'by none of the authorities that this host knows (witness: etcd: ca)' : `not by ${etcd.caFile}`
  if (code === 'ECONNREFUSED') return 'connection refused: no etcd listens there'
  if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH') return 'no route to it'
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'its name has no address: name an address instead'
  if (code === 'CERT_HAS_EXPIRED') return 'its certificate has expired'
  if (code === 'CERT_NOT_YET_VALID') return 'its certificate is not valid yet: compare the clocks'
  if (unknownAuthority.includes(code)) return `its certificate is signed ${signed}`
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return `its certificate is for another name: ${text.split(': ').slice(1).join(': ').slice(0, 200)}`
  if (/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST/.test(code) || text.includes('wrong version number')) return 'it speaks no TLS: http instead of https?'
  const alert = /ALERT_([A-Z0-9_]+)|alert ([a-z ]+):/.exec(`${code} ${text}`)
  if (alert !== null) return clientCertificateFault((alert[1] ?? alert[2] ?? '').toLowerCase().replaceAll('_', ' ').trim(), etcd.certificateFile)
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'it closed the connection (is this the port for clients, and http or https as etcd has it?)'
  return text.slice(0, 400)
}

function clientCertificateFault(alert: string, file: string | undefined): string {
  if (file === undefined) return `it wants a certificate of this node (witness: etcd: cert, key): ${alert}`
  return /expired/.test(alert) ? `it says that the certificate of this node, ${file}, has expired` : `it refuses the certificate of this node, ${file}: ${alert}`
}

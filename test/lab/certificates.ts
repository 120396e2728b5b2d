/** Certificates for a test, made with openssl in a directory of its own. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { must } from './sandbox.ts'

export interface Certificate { readonly certificateFile: string; readonly keyFile: string }

export interface Authority {
  readonly caFile: string
  /** `days` 0: it has expired when it is used. Names as openssl writes them: `IP:127.0.0.1`, `DNS:etcd.example`; `subject` too. */
  issue(name: string, names: string, days?: number, subject?: string): Promise<Certificate>
}

export async function newAuthority(parent: string, name: string): Promise<Authority> {
  const dir = join(parent, name)
  mkdirSync(dir, { recursive: true })
  const [caFile, caKey] = [join(dir, 'ca.crt'), join(dir, 'ca.key')]
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  await must(['openssl', 'req', '-x509', ...curve, '-keyout', caKey, '-out', caFile, '-days', '2', '-subj', `/CN=${name}`])
  return {
    caFile,
    issue: async (name, names, days = 2, subject = `/CN=${name}`) => {
      const [certificateFile, keyFile, request, extensions] = ['crt', 'key', 'csr', 'ext'].map((end) => join(dir, `${name}.${end}`)) as [string, string, string, string]
      writeFileSync(extensions, `subjectAltName=${names}\nextendedKeyUsage=serverAuth,clientAuth\n`)
      await must(['openssl', 'req', '-new', ...curve, '-keyout', keyFile, '-out', request, '-subj', subject])
      await must(['openssl', 'x509', '-req', '-in', request, '-CA', caFile, '-CAkey', caKey, '-CAcreateserial', '-out', certificateFile, '-days', String(days), '-extfile', extensions])
      return { certificateFile, keyFile }
    },
  }
}

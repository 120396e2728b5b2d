// The mail itself: whom it goes to, what it says, and that mail trouble never takes a service down.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { noSandbox, openSandbox, type Sandbox } from './sandbox.ts'
import { prepare } from './servers.ts'

const absent = noSandbox()
describe.skipIf(absent)(`MailTo${absent ? ` (${absent})` : ''}`, () => {
  let machine: Sandbox
  beforeEach(async () => {
    machine = await openSandbox('node-a')
    await prepare('MailTo', machine)
  })
  afterEach(() => machine.close())
  const env = { HACTL_NODE: 'node-a', HACTL_PEER: 'node-b', HACTL_GROUP: '192.0.2.100' }
  const mails = () => machine.sh('cat /run/mail/*.mail 2>/dev/null || true; rm -f /run/mail/*')

  test('start and stop each send one mail to every address, with subject, node, peer and group', async () => {
    await machine.script('MailTo ops@example.com,root Web moved', 'start', { env })
    const start = await mails()
    expect(start).toMatch(/^arguments: -i -- ops@example\.com root$/m)
    expect(start).toMatch(/^Subject: Web moved: node-a is taking over$/m)
    expect(start).toMatch(/^group: 192\.0\.2\.100$/m)
    expect(start).toMatch(/^peer: {2}node-b$/m)
    await machine.script('MailTo ops@example.com', 'stop', { env })
    expect(await mails()).toMatch(/^Subject: hactl: node-a is giving up$/m)
  })

  const wrong = ['-oQ/tmp', 'a@b@c', '@b', 'a@', 'a,,b', ',a', 'a,', 'a,-x', 'a;reboot', '$(reboot)', 'a\nBcc: b']
  test.each(wrong)('the address %j is refused with 2, and no mail is sent', async (address) => {
    const result = await machine.run([`${import.meta.dirname}/../../resources/MailTo`, address, 'start'], { env })
    expect(result).toMatchObject({ code: 2, stderr: expect.stringMatching(/^MailTo: /) as string })
    expect(await mails()).toBe('')
  })

  test('a subject with a line break is refused: it could start a header', async () => {
    const result = await machine.run([`${import.meta.dirname}/../../resources/MailTo`, 'root', 'a\nBcc: b', 'start'], { env })
    expect(result.code).toBe(2)
  })

  test('no address: 2', async () => {
    expect(await machine.script('MailTo', 'start')).toMatchObject({ code: 2, stderr: expect.stringContaining('no mail address') as string })
  })

  test('a mail program that fails is complained of with what it said, and start succeeds', async () => {
    await machine.sh('printf "#!/bin/sh\\necho queue is full; exit 75\\n" >/run/programs/sendmail')
    expect(await machine.script('MailTo root', 'start')).toMatchObject({ code: 0, stderr: expect.stringContaining('gave 75: queue is full') as string })
  })

  test('a mail program that hangs does not hold the group up', async () => {
    await machine.sh('printf "#!/bin/sh\\nsleep 50\\n" >/run/programs/sendmail')
    const before = Date.now()
    const result = await machine.script('MailTo root', 'start', { env: { MAILTO_WAIT: '1' } })
    expect(result).toMatchObject({ code: 0, stderr: expect.stringContaining('goes on in the background') as string })
    expect(Date.now() - before).toBeLessThan(5_000)
  })
})

/** A link over a serial line. The device may go and come back, as those on USB do: it is tried again every second. */
import type { LinkName, SerialLinkConfig } from '../core/config.ts'
import { errorCode, errorText } from './errors.ts'
import type { LinkEvents } from './links.ts'
import { linkName, type SerialOutlet } from './links-plan.ts'
import { openSerialDevice, type SerialDevice } from './serial-device.ts'
import { createFrameScanner } from './serial-frames.ts'
import { openSerialOutput, type SerialOutput } from './serial-output.ts'

export interface SerialLink {
  readonly name: LinkName
  send(bytes: Uint8Array): void
  outlets(): readonly SerialOutlet[]
  close(): void
}

const retryMs = 1_000

interface Opened { readonly device: SerialDevice; readonly output: SerialOutput }

/** Never rejects: a device that cannot be used is told as failed. */
export async function openSerialLink(config: SerialLinkConfig, events: LinkEvents): Promise<SerialLink> {
  const { interface: path, baud } = config
  const name = linkName(config)
  let opened: Opened | undefined
  let status: 'open' | 'failed' = 'open'
  let retry: NodeJS.Timeout | undefined
  let closed = false

  function change(to: 'open' | 'failed', reason: string): void {
    if (closed || status === to) return
    status = to
    events.onChange(name, to, reason)
  }

  function lose(reason: string): void {
    if (opened === undefined || closed) return
    opened.output.close()
    opened.device.close()
    opened = undefined
    change('failed', `${path}: ${reason}`)
    events.onOutlets?.()
    retry = setTimeout(() => void open(), retryMs)
  }

  async function open(): Promise<void> {
    const scanner = createFrameScanner()
    try {
      const device = await openSerialDevice(path, baud, {
        onBytes: (bytes) => scanner.take(bytes).forEach((frame) => events.onPacket(name, frame)),
        onGone: lose,
      })
      if (closed) return device.close()
      const output = openSerialOutput(baud, {
        write: (bytes) => device.write(bytes),
        onGone: (error) => lose(`the device is gone (${errorCode(error) || errorText(error)})`),
        onStuck: (stuck) => stuck ? change('failed', `${path} takes no more bytes: is anybody at the other end?`) : change('open', 'bytes leave again'),
      })
      opened = { device, output }
      change('open', `${path} at ${baud} baud`)
      events.onOutlets?.()
    } catch (error) {
      change('failed', errorText(error))
      if (!closed) retry = setTimeout(() => void open(), retryMs)
    }
  }

  await open()
  return {
    name,
    send: (bytes) => opened?.output.send(bytes),
    outlets: () => (opened === undefined ? [] : [{ config, target: path }]),
    close() {
      closed = true
      clearTimeout(retry)
      opened?.output.close()
      opened?.device.close()
    },
  }
}

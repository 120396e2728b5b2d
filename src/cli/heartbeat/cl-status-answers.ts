/** What `cl_status` answers, as data: Heartbeat's own sentences and exit codes, since scripts parse them. */
import type { StatusReport } from '../../core/report.ts'
import type { Asked } from './cl-status-words.ts'
import { holdingOf, linkStatus, nodesOf, statusOf, type ClusterNode } from './cl-status-view.ts'

export interface Answer {
  readonly exitCode: number
  readonly out?: string
  /** On standard error as it stands; `errors`: there with time, host and process before them. */
  readonly plainError?: string
  readonly errors?: readonly string[]
}

export interface Facts {
  readonly report: StatusReport
  /** Of nodes and ping nodes, in the order of the configuration; empty where that cannot be read. */
  readonly names: readonly string[]
  readonly parameters: ReadonlyMap<string, string>
  readonly version: string
}

const badParameter = 11
const unknownTrouble = 13
const notEnough: Answer = { exitCode: badParameter, plainError: 'Not enough parameters.' }
const noEnough: Answer = { exitCode: badParameter, plainError: 'No enough parameter.' }
const wrongNode: Answer = { exitCode: badParameter, plainError: 'Error. May be due to incorrect node name' }

export function notRunning({ subcommand, options }: Asked, reason: string): Answer {
  if (subcommand !== 'hbstatus') return { exitCode: 1, errors: ['Cannot signon with heartbeat', `REASON: ${reason}`] }
  return { exitCode: 1, out: `Heartbeat is stopped on this machine.\n${options.has('v') ? `(${reason})\n` : ''}` }
}

export function answer(asked: Asked, facts: Facts): Answer {
  const nodes = nodesOf(facts)
  const [first, second] = asked.parameters
  const inWords = asked.options.has('m')
  const node = nodes.find(({ name }) => name.toLowerCase() === first?.toLowerCase())
  const said = (bare: string, sentence: string, exitCode = 0): Answer => ({ exitCode, out: `${inWords ? sentence : bare}\n` })
  switch (asked.subcommand) {
    case 'hbstatus':
      return { exitCode: 0, out: asked.options.has('v') ? verbose(nodes, facts) : 'Heartbeat is running on this machine.\n' }
    case 'listnodes':
      return listNodes(asked, nodes, facts.report)
    case 'nodestatus': {
      if (first === undefined) return notEnough
      if (node === undefined) return wrongNode
      const status = statusOf(node, facts.report)
      return said(status, `The cluster node ${first} is ${status}`, ['active', 'up', 'ping'].includes(status) ? 0 : 1)
    }
    case 'nodetype':
      if (first === undefined) return noEnough
      return node === undefined ? wrongNode : said(node.type, `The node ${first}'s type: ${node.type}`)
    case 'nodeweight':
      if (first === undefined) return notEnough
      // Nobody can set another one here.
      return node === undefined ? { exitCode: badParameter, plainError: 'Error. Maybe due to incorrect node name.' } : said('100', `The weight of the cluster node ${first} is 100`)
    case 'nodesite':
      if (first === undefined) return notEnough
      return node === undefined ? wrongNode : said('', `The site of the cluster node ${first} is `)
    case 'listhblinks':
      if (first === undefined) return noEnough
      if (node === undefined) return trouble(unknownTrouble, 'Cannot start heartbeat link interface walk.', 'EINVAL')
      return { exitCode: 0, out: `${inWords ? '\tthis node has the following heartbeat links:\n' : ''}${linkLines(node, facts.report, asked.options.has('v'))}` }
    case 'hblinkstatus': {
      if (first === undefined || second === undefined) return noEnough
      const status = node?.links.includes(second) === true ? linkStatus(node, second, facts.report) : undefined
      if (status === undefined) return trouble(unknownTrouble, 'Cannot get heartbeat link status', '')
      return said(status, `The node ${first}'s heartbeat link ${second} is ${status}`, status === 'up' ? 0 : 1)
    }
    case 'clientstatus':
      if (first === undefined || second === undefined) return noEnough
      if (node === undefined) return trouble(unknownTrouble, `Cannot get heartbeat client ${second}'s status`, 'No timely response.')
      // There are no clients, but what ipfail did is done by the daemon itself.
      return second === 'ipfail' && (facts.report.pings ?? []).length > 0 && statusOf(node, facts.report) === 'active'
        ? { exitCode: 0, out: 'online\n' } : { exitCode: 1, out: 'offline\n' }
    case 'rscstatus': {
      const holding = holdingOf(facts.report)
      return said(holding, `This node is holding ${holding} resources.`)
    }
    case 'hbparameter':
      return parameter(asked, facts, said)
  }
}

function parameter({ name, givesUp }: Asked, { parameters }: Facts, said: (bare: string, sentence: string) => Answer): Answer {
  if (givesUp) return { exitCode: badParameter, errors: ['Error: getopt returnedcharacter code ?.'] }
  if (name === undefined) return { exitCode: badParameter, errors: ['parameter name required'] }
  const value = parameters.get(name)
  return value === undefined ? trouble(1, `Cannot get parameter ${name}'s value`, '') : said(value, `Heartbeat parameter ${name}'s value: ${value}`)
}

function trouble(exitCode: number, what: string, reason: string): Answer {
  return { exitCode, errors: [what, `REASON: ${reason}`] }
}

function verbose(nodes: readonly ClusterNode[], { report, version }: Facts): string {
  return `version:\t${version}\nmanaged by:\t"haresources"\n${nodes.map((node) => nodeLines(node, report)).join('')}`
}

function listNodes({ options }: Asked, nodes: readonly ClusterNode[], report: StatusReport): Answer {
  // With both letters all are listed.
  const wanted = nodes.filter(({ type }) => options.has('n') === options.has('p') || options.has(type === 'ping' ? 'p' : 'n'))
  const head = options.has('m') ? 'The nodes are as follow:\n' : ''
  return { exitCode: 0, out: `${head}${wanted.map((node) => (options.has('v') ? nodeLines(node, report) : `${node.name}\n`)).join('')}` }
}

function nodeLines(node: ClusterNode, report: StatusReport): string {
  return `\n${node.name}\t${statusOf(node, report)}\t(nodetype: ${node.type})\n${linkLines(node, report, true)}`
}

function linkLines(node: ClusterNode, report: StatusReport, withStatus: boolean): string {
  return node.links.map((link) => `\t${link}${withStatus ? `\t${linkStatus(node, link, report)}` : ''}\n`).join('')
}

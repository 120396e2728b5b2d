/** The command line of `cl_status`: a sub-command, then options and parameters in any order, as getopt(3) takes them. */

export const subcommands = [
  'clientstatus', 'hblinkstatus', 'hbstatus', 'listnodes', 'listhblinks', 'nodestatus', 'nodeweight', 'nodesite', 'nodetype', 'rscstatus', 'hbparameter',
] as const
export type Subcommand = (typeof subcommands)[number]

export interface Asked {
  readonly subcommand: Subcommand
  /** Letters of options that were there. */
  readonly options: ReadonlySet<string>
  readonly parameters: readonly string[]
  /** Of `-p NAME` of hbparameter. */
  readonly name?: string
  /** What getopt says of options that it does not know. */
  readonly complaints: readonly string[]
  /** An option of hbparameter was wrong: it gives up then, the others go on. */
  readonly givesUp: boolean
}

/** A letter with a colon takes a value. */
const optionsOf: Readonly<Record<Subcommand, string>> = {
  clientstatus: 'm', hblinkstatus: 'm', hbstatus: 'mv', listnodes: 'mnpv', listhblinks: 'mv', nodestatus: 'm', nodeweight: 'm', nodesite: 'm', nodetype: 'm',
  rscstatus: 'm', hbparameter: 'mp:',
}

export function isSubcommand(word: string): word is Subcommand {
  return subcommands.some((one) => one === word)
}

export function readWords(subcommand: Subcommand, words: readonly string[]): Asked {
  const known = optionsOf[subcommand]
  const options = new Set<string>()
  const parameters: string[] = []
  const complaints: string[] = []
  let name: string | undefined
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? ''
    if (word === '--') {
      parameters.push(...words.slice(at + 1))
      break
    }
    if (!word.startsWith('-') || word === '-') {
      parameters.push(word)
      continue
    }
    for (let letterAt = 1; letterAt < word.length; letterAt += 1) {
      const letter = word[letterAt] ?? ''
      const place = letter === ':' ? -1 : known.indexOf(letter)
      if (place === -1) complaints.push(`${subcommand}: invalid option -- '${letter}'`)
      else if (known[place + 1] !== ':') options.add(letter)
      else {
        const value = word.slice(letterAt + 1) || words[at += 1]
        if (value === undefined) complaints.push(`${subcommand}: option requires an argument -- '${letter}'`)
        else name = value
        break
      }
    }
  }
  return { subcommand, options, parameters, complaints, givesUp: subcommand === 'hbparameter' && complaints.length > 0, ...(name === undefined ? {} : { name }) }
}

export const usage = `Usage: cl_status <sub-command> [<options>] [<parameters>]

Sub-commands:
clientstatus <node-name> <client-id> [<timeout>]
\tShow the status of heartbeat clients.
hblinkstatus <node-name> <link-name>
\tShow the status of a heartbeat link
hbstatus
\tIndicate if heartbeat is running on the local system.
\tOptions:
\t\t-v\tverbose: also add "listnodes -v" output
listnodes [<option>]
\tList the nodes in the cluster.
\tOptions:
\t\t-p\tlist only 'ping' type nodes
\t\t-n\tlist only 'normal' type nodes
\t\t-v\tverbose: also list type and status,
\t\t\tthen add "listhblinks -v" output
listhblinks <node-name>
\tList the network interfaces used as hearbeat links.
\tOptions:
\t\t-v\tverbose: list link status as well
nodestatus <node-name>
\tList the node status.
nodeweight <node-name>
\tList the node weight.
nodesite <node-name>
\tList the node site.
nodetype <node-name>
\tList the nodes of a given type.
rscstatus
\tShow the status of cluster resources.
hbparameter -p <parameter-name>
\tRetrieve the value of a cluster parameter.
\tAs for the valid parameter names, please refer to the man page.
`

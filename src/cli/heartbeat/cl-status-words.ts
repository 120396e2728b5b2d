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

/** Its own wording: nobody parses it. */
export const usage = `Usage: cl_status SUBCOMMAND [OPTION..] [WORD..]

  hbstatus [-v]                      does the daemon run here
  listnodes [-n|-p] [-v]             nodes (-n) and ping nodes (-p)
  nodestatus NODE                    active, up, init, dead or ping
  nodetype NODE                      normal or ping
  nodeweight NODE, nodesite NODE     always 100, always empty
  listhblinks [-v] NODE              interfaces of its links
  hblinkstatus NODE LINK             up or dead
  clientstatus NODE CLIENT [MS]      online or offline
  rscstatus                          none, local, foreign, all or transition
  hbparameter -p NAME                a value of ha.cf
  -m says it in a sentence
`

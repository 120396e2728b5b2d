/** The command line: every command of design.md section 10, its words and options. What a command does is loaded when it is typed. */
import { Argument, Command, CommanderError, Option } from 'commander'
import type { AdminCommand } from '../core/admin.ts'
import type { Scope } from '../core/packet.ts'
import { type CommonOptions, defaultConfig, defaultControl, defaultStateDir, durationOption, isScope, keyIndexOption, portOption, scopeArgument } from './options.ts'
import type { Terminal } from './terminal.ts'
import { version } from './version.ts'

const adminTimeoutMs = 60_000
/** How long a start or stop of a script takes; nobody knows but the administrator. */
const typicalScriptMs = 1_000
const configHelp = 'hactl.yaml, or a directory with ha.cf, haresources, authkeys (default: /etc/hactl/hactl.yaml, else /etc/ha.d)'
const exitCodeHelp = `
Exit codes: 0 done or healthy, 1 degraded or refused, 2 usage or configuration
error, 3 no daemon, 4 timed out.`

/** Runs one command line (without `node` and the program's name) and gives the exit code. */
export async function runHactl(words: readonly string[], terminal: Terminal): Promise<number> {
  let exitCode = 0
  const program = newProgram(terminal, (code) => { exitCode = code })
  try {
    await program.parseAsync(words, { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    throw error
  }
}

function newProgram(terminal: Terminal, exit: (code: number) => void): Command {
  const program = new Command('hactl')
    .description('Two Linux hosts, one floating IP address, no split brain.')
    .version(version, '-V, --version', 'print the version')
    .option('--config <path>', configHelp)
    .option('--state-dir <dir>', 'where the daemon keeps its state', defaultStateDir)
    .option('--control <socket>', 'the control socket of the daemon', defaultControl)
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help for a command')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ writeOut: terminal.out, writeErr: terminal.err, getOutHelpWidth: () => 80, getErrHelpWidth: () => 80 })
    .showHelpAfterError('(hactl --help lists the commands)')
    .exitOverride()
    .addHelpText('after', exitCodeHelp)
  const commands: Commands = {
    program,
    terminal,
    common: () => ({ ...program.opts<CommonOptions>(), config: program.opts<Partial<CommonOptions>>().config ?? defaultConfig() }),
    run: async (work) => exit(await work),
  }
  addLooking(commands)
  addMoving(commands)
  addConfiguring(commands)
  addKeys(commands)
  addDecoding(commands)
  addServing(commands)
  addNames(commands)
  return program
}

interface Commands {
  readonly program: Command
  readonly terminal: Terminal
  readonly common: () => CommonOptions
  readonly run: (work: Promise<number>) => Promise<void>
}

function addLooking({ program, terminal, common, run }: Commands): void {
  program.command('status')
    .description('nodes, links, groups, resources and the last move')
    .option('--json', 'as JSON, for programs')
    .option('--watch', 'again every second, until Ctrl-C')
    .action((options: { json?: boolean; watch?: boolean }) => run(
      import('./status.ts').then(({ runStatus }) =>
        runStatus({ ...common(), json: options.json === true, watch: options.watch === true }, terminal))))
  program.command('why')
    .description('the last move: its reason, evidence, timeline and duration')
    .argument('[group]', 'of this group')
    .option('--json', 'as JSON, for programs')
    .action((group: string | undefined, options: { json?: boolean }) => run(
      import('./why.ts').then(({ runWhy }) => runWhy({ ...common(), group, json: options.json === true }, terminal))))
  program.command('events')
    .description('what happened, oldest first')
    .option('--follow', 'go on with new events, until Ctrl-C')
    .option('--json', 'one JSON object a line')
    .action((options: { follow?: boolean; json?: boolean }) => run(
      import('./events.ts').then(({ runEvents }) =>
        runEvents({ ...common(), follow: options.follow === true, json: options.json === true }, terminal))))
}

function addMoving({ program, terminal, common, run }: Commands): void {
  const act = async (command: AdminCommand, wait = true): Promise<void> => run(
    import('./admin.ts').then(({ runAdmin }) => runAdmin({ ...common(), command, wait }, terminal)))
  program.command('standby')
    .description('give this node\'s groups to the peer, until `hactl online`')
    .argument('[scope]', 'all, local (groups that prefer this node) or foreign', scopeArgument, 'all')
    .option('--once', 'only now: this node may take them again later')
    .option('--wait', 'show each step until it is done (the default)')
    .option('--no-wait', 'ask for it and return')
    .addOption(new Option('--timeout <time>', 'how long it may take').argParser(durationOption).default(adminTimeoutMs, '60s'))
    .action((scope: Scope, options: { once?: boolean; wait?: boolean; timeout: number }) =>
      act({ type: 'standby', scope, once: options.once === true, timeoutMs: options.timeout }, options.wait !== false))
  program.command('online')
    .description('end the standby of this node')
    .action(() => act({ type: 'online', timeoutMs: adminTimeoutMs }))
  program.command('takeover')
    .description('bring groups to this node')
    .argument('[what]', 'all, local, foreign, or one group', 'all')
    .option('--force', 'also what this node\'s standby covers, or what failed here')
    .action((what: string, options: { force?: boolean }) =>
      act({ type: 'takeover', target: isScope(what) ? what : { group: what }, force: options.force === true, timeoutMs: adminTimeoutMs }))
  program.command('pause')
    .description('no automatic moves anywhere')
    .action(() => act({ type: 'pause' }))
  program.command('resume')
    .description('automatic moves again')
    .action(() => act({ type: 'resume' }))
  program.command('cleanup')
    .description('say that an unclean group is stopped there')
    .argument('<group>', 'the group')
    .option('--i-have-checked', 'you have looked: nothing of the group runs on the node where it is unclean')
    .action((group: string, options: { iHaveChecked?: boolean }) => options.iHaveChecked === true
      ? act({ type: 'cleanup', group, timeoutMs: adminTimeoutMs }) : run(sayWhatToCheck(group, terminal)))
  program.command('clear')
    .description('a group that moved too often may move again')
    .argument('<group>', 'the group that the flap guard holds where it is')
    .action((group: string) => act({ type: 'clear', group, timeoutMs: adminTimeoutMs }))
}

/** Nobody shall type the long option only because an error named it. */
function sayWhatToCheck(group: string, terminal: Terminal): Promise<number> {
  terminal.err(`hactl: cleanup says that nothing of ${group} runs on the node where it is unclean, and the other node may start it then.
  Look there first: its addresses (ip address show), its processes, its file systems (findmnt). Stop what is left, then type:
  hactl cleanup ${group} --i-have-checked\n`)
  return Promise.resolve(2)
}

function addConfiguring({ program, terminal, common, run }: Commands): void {
  program.command('check')
    .description('what is wrong with a configuration, and what it means')
    .argument('[path]', 'hactl.yaml, or a directory like /etc/ha.d (default: --config)')
    .option('--json', 'as JSON, for programs')
    .option('--peer', 'also: does the peer go by the same? (asks the daemon)')
    .action((path: string | undefined, options: { json?: boolean; peer?: boolean }) => run(
      import('./check.ts').then(({ runCheck }) => runCheck(path, {
        json: options.json === true, config: common().config, ...(options.peer === true ? { peerControl: common().control } : {}),
      }, terminal))))
  program.command('rehearse')
    .description('what would follow: a scenario on this configuration, in virtual time')
    .argument('[scenario...]', 'as "kill web-a, wait 1m, start web-a"; without: examples')
    .option('--json', 'as JSON, for programs')
    .addOption(new Option('--script-time <time>', 'how long a start or stop of a script takes')
      .argParser(durationOption).default(typicalScriptMs, '1s'))
    .action((scenario: readonly string[], options: { json?: boolean; scriptTime: number }) => run(
      import('./rehearse.ts').then(({ runRehearse }) => runRehearse({
        config: common().config, scenario: scenario.join(' '), scriptMs: options.scriptTime, json: options.json === true,
      }, terminal))))
  program.command('migrate')
    .description('what will happen when hactl takes Heartbeat\'s place here')
    .requiredOption('--check', 'say it beforehand: nothing is changed, nothing is sent')
    .option('--json', 'as JSON, for programs')
    .action((options: { json?: boolean }) => run(
      import('./migrate.ts').then(({ runMigrateCheck }) => runMigrateCheck({ ...common(), json: options.json === true }, terminal))))
  program.command('import')
    .description('print classic files as one hactl.yaml')
    .argument('<path>', 'a directory like /etc/ha.d')
    .action((path: string) => run(import('./import.ts').then(({ runImport }) => runImport(path, terminal))))
  program.command('reload')
    .description('reread the configuration, all or nothing')
    .action(() => run(import('./reload.ts').then(({ runReload }) => runReload(common(), terminal))))
  program.command('fence')
    .description('look whether the fencing devices of the peer answer')
    .requiredOption('--test', 'ask each for its status: nothing is switched')
    .action(() => run(import('./fence.ts').then(({ runFenceTest }) => runFenceTest(common(), terminal))))
}

function addKeys({ program, terminal, common, run }: Commands): void {
  const keys = program.command('keys').description('keys that the nodes sign with')
  keys.command('new')
    .description('print an authkeys file with a fresh key')
    .option('-o, --output <file>', 'write it there instead, readable by its owner only')
    .action((options: { output?: string }) => run(import('./keys.ts').then(({ runKeysNew }) => runKeysNew(options, terminal))))
  keys.command('rotate')
    .description('change the key without a gap: one step each time it is typed')
    .option('--dry-run', 'say what would be done')
    .addOption(new Option('--to <index>', 'the key to change to, where it was added by hand').argParser(keyIndexOption))
    .action((options: { dryRun?: boolean; to?: number }) => run(import('./keys-rotate.ts').then(({ runKeysRotate }) =>
      runKeysRotate({ ...common(), dryRun: options.dryRun === true, ...(options.to === undefined ? {} : { to: options.to }) }, terminal))))
}

function addDecoding({ program, terminal, common, run }: Commands): void {
  program.command('decode')
    .description('what packets say, and whether their signatures are good')
    .argument('[file]', 'of tcpdump -w, or lines of base64 or of JSON with bytesBase64 (default: standard input)')
    .option('--keys <authkeys>', 'verify with these keys (default: those of the configuration)')
    .addOption(new Option('--authkeys <file>', 'the same').hideHelp())
    .addOption(new Option('--port <port>', 'only packets of this port (default: 694 and those of the configuration)').argParser(portOption))
    .option('--json', 'one JSON object a line')
    .action((file: string | undefined, options: { keys?: string; authkeys?: string; port?: number; json?: boolean }) => run(
      import('./decode.ts').then(({ runDecode }) => runDecode({
        file, config: common().config, keys: options.keys ?? options.authkeys, port: options.port, json: options.json === true,
      }, terminal))))
}

function addServing({ program, terminal, common, run }: Commands): void {
  program.command('daemon')
    .description('run the daemon: in the background, unless told otherwise')
    .option('--foreground', 'stay this process (as under systemd)')
    .action((options: { foreground?: boolean }) => run(
      import('./daemon.ts').then(({ runDaemonCommand }) =>
        runDaemonCommand({ ...common(), foreground: options.foreground === true }, terminal))))
  program.command('release')
    .description('stop what this node holds, without a daemon (for ExecStopPost of systemd)')
    .requiredOption('--all', 'every group')
    .action(() => run(import('./release.ts').then(({ runRelease }) => runRelease(common(), terminal))))
}

function addNames({ program, terminal, run }: Commands): void {
  const actions = ['list', 'install', 'remove'] as const
  program.command('names')
    .description('Heartbeat\'s hb_standby, hb_takeover and cl_status as names of this program')
    .addArgument(new Argument('[action]', 'list, install (make links), remove').choices(actions).default('list'))
    .option('--dir <directory>', 'where the links are', '/usr/local/bin')
    .option('--heartbeats-places', 'also where Heartbeat\'s packages have these commands')
    .option('--dry-run', 'say what would be done')
    .action((action: (typeof actions)[number], options: { dir: string; heartbeatsPlaces?: boolean; dryRun?: boolean }) => run(
      import('./heartbeat/install.ts').then(({ runNames }) => runNames({
        action, directory: options.dir, heartbeatsPlaces: options.heartbeatsPlaces === true, dryRun: options.dryRun === true, program: process.argv[1] ?? '',
        searched: (process.env['PATH'] ?? '').split(':'),
      }, terminal))))
}

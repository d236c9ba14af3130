/**
 * The command line: which commands there are and what they take. Each is loaded when it is called, so that
 * `fairlead render` does not pay for the API server.
 */
import { Argument, Command, CommanderError, Option } from 'commander'
import { exitCodes, explain } from './exit.ts'
import {
  atLeastZero,
  bindAddress,
  commaSeparated,
  count,
  countFromOne,
  durationMs,
  kept,
  namespaces,
  onOrOff,
  port,
  urls,
} from './flag-values.ts'
import { type Io, processIo } from './io.ts'
import { type LogLevel, logLevels } from './log-level.ts'
import type { RolloutAction } from './rollout.ts'
import { shapes } from './shapes.ts'

export async function main(args: readonly string[], io: Io = processIo()): Promise<void> {
  const program = commandLine(io)
  try {
    await program.parseAsync([...args], { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) {
      io.exit(error.exitCode === 0 ? exitCodes.ok : exitCodes.usage)
      return
    }
    const { lines, code } = explain(error)
    for (const line of lines) io.error(line)
    io.exit(code)
  }
}

export function commandLine(io: Io): Command {
  const program = new Command('fairlead')
    .description('Serve LLMs: one resource becomes a running, routed, scaled inference endpoint.')
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.write(text), writeErr: (text) => io.error(text.trimEnd()) })
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('(see --help)')

  program
    .command('up')
    .description('run everything on this machine: API server, controllers, local pods and router; no cluster needed')
    .option(
      '--apply <file...>',
      'apply these files once the API is ready; a file, a directory, or - for standard input',
    )
    .option(
      '--exit-when-active',
      'end with 0 once every applied ModelBooster and AIMService serves and has answered a request',
    )
    .option('--data-dir <dir>', 'where objects, certificates and the kubeconfig are kept', '.fairlead')
    .option('--api-port <port>', 'port of the Kubernetes API on 127.0.0.1; 0 for any free one', port, 7443)
    .option('--router-port <port>', 'port of the OpenAI-compatible router on 127.0.0.1; 0 for any free one', port, 8080)
    .option(
      '--nodes <file>',
      'YAML list of nodes with labels and capacity to place pods on; default one node that takes all',
    )
    .option(
      '--runtimes <file>',
      'YAML list that says by image pattern how containers are run; default all known engines simulated',
    )
    .option('--registries <file>', registriesFile)
    .addOption(
      new Option(
        '--durability <mode>',
        'what survives a power cut: full (every acknowledged write), normal (all but the last moment); a killed process loses nothing in either',
      )
        .choices(['full', 'normal'])
        .default('full'),
    )
    .option('--leader-worker-sets', 'take LeaderWorkerSets for ModelServings; their definition has to be applied')
    .option('--matrixinfer', 'serve MatrixInfer’s kinds too: Model, ModelInfer and theirs')
    .option('--json', 'one JSON object a line instead of the live tree')
    .action(async (options) => (await import('./up.ts')).up(options, io))

  program
    .command('router')
    .description('run the router alone, against any cluster')
    .option('--bind-address <address>', 'where both ports listen; 0.0.0.0 or :: for all addresses', '127.0.0.1')
    .option('--port <port>', 'port of the OpenAI-compatible API; 0 for any free one', port, 8080)
    .option('--metrics-port <port>', 'port of /metrics, /healthz and /readyz; 0 for any free one', port, 0)
    .option('--kubeconfig <file>', kubeconfigOrPod)
    .option('--context <name>', 'context of the kubeconfig to use')
    .option('--namespaces <names>', 'route to these alone, with commas between them; default all', namespaces)
    .option('--drain-seconds <seconds>', 'how long running answers may take after a request to stop', seconds, 300)
    .option('--matrixinfer', 'serve routes of MatrixInfer’s kinds too')
    .option('--json', 'one JSON object a line')
    .addOption(logLevel('warn'))
    .addOption(new Option('--below-up', 'take the kubeconfig from standard input, and stop when that ends').hideHelp())
    .action(async (options) => (await import('./router.ts')).router(options, io))

  program
    .command('manager')
    .description('run the controllers alone, against any cluster; of several, one leads')
    .option('--kubeconfig <file>', kubeconfigOrPod)
    .option('--context <name>', 'context of the kubeconfig to use')
    .option(
      '--controllers <names>',
      'run these alone, with commas between them; default all, which is *',
      commaSeparated,
    )
    .option('--namespaces <names>', 'look after these alone, with commas between them; default all', namespaces)
    .option('--leader-elect [enabled]', 'take part in the election of a leader, and write only as that', onOrOff, true)
    .option('--no-leader-elect', 'write at once; only where no other manager runs')
    .option(
      '--leader-elect-lease-duration <duration>',
      'how long others wait for a leader who says nothing',
      kept(durationMs),
      '15s',
    )
    .option(
      '--leader-elect-renew-deadline <duration>',
      'how long a leader who cannot renew goes on writing',
      kept(durationMs),
      '10s',
    )
    .option('--leader-elect-retry-period <duration>', 'pause between two renewals', kept(durationMs), '2s')
    .option('--leader-elect-resource-namespace <name>', 'where the Lease is; default our own, or the kubeconfig’s')
    .option('--metrics-bind-address <address>', `for /metrics; ${addressForm}`, kept(bindAddress), '127.0.0.1:8080')
    .option(
      '--health-probe-bind-address <address>',
      `for /healthz and /readyz; ${addressForm}`,
      kept(bindAddress),
      '127.0.0.1:8081',
    )
    .option(
      '--router-urls <urls>',
      'listeners of routers for operators, with commas between them; a name stands for all of its addresses. Pods count as ready when these routers send to them; default none, and pods that are ready count',
      urls,
    )
    .option(
      '--prometheus-servers <urls>',
      'Prometheus servers that autoscaling policies may have asked, with commas between them; default none',
      urls,
    )
    .option('--registries <file>', registriesFile)
    .option('--kube-api-qps <number>', 'requests a second in the long run; 0 for no limit of ours', atLeastZero, 500)
    .option('--kube-api-burst <number>', 'requests that may go at once after a pause', countFromOne, 1000)
    .addOption(logLevel('info'))
    .action(async (options) => (await import('./manager.ts')).manager(options, io))

  connected(program, 'apply', 'create or update objects by server-side apply')
    .requiredOption('-f, --filename <file...>', 'a file, a directory, or - for standard input')
    .option('--dry-run', 'let the server check and default everything, and keep nothing')
    .option('--force-conflicts', 'take fields over from other managers')
    .action(async (options) => (await import('./apply.ts')).apply(options, io))

  connected(program, 'get', 'list objects, or show some')
    .argument('<kind[/name]>', 'such as modelboosters, pods or modelserving/chat-a')
    .argument('[name...]')
    .option('-A, --all-namespaces', 'of all namespaces')
    .option('-l, --selector <labels>', 'only those that carry these labels')
    .addOption(output('wide', 'json', 'yaml', 'name'))
    .action(async (what, names, options) => (await import('./get.ts')).get({ what, names, ...options }, io))

  connected(program, 'tree', 'objects below one another, with their state and what they wait for')
    .argument('[kind/name]', 'the root; default every ModelBooster and what is served without one')
    .option('-A, --all-namespaces', 'of all namespaces')
    .addOption(output('json'))
    .action(async (what, options) => (await import('./tree.ts')).tree({ what, ...options }, io))

  connected(
    program,
    'status',
    'each model, its backends and the first thing that stands in the way; live on a terminal',
  )
    .argument('[kind/name]', 'such as modelbooster/chat; default all')
    .argument('[name...]')
    .option('-A, --all-namespaces', 'of all namespaces')
    .option('--wait', 'end once all are Active, or one fails for good')
    .option('--timeout <seconds>', 'end with 1 when they are not Active by then; 0 waits for ever', seconds, 0)
    .option('--once', 'say it once, also on a terminal')
    .addOption(output('json'))
    .action(async (what, names, options) => (await import('./status.ts')).status({ what, names, ...options }, io))

  connected(program, 'describe', 'one object in full, with its conditions, children and events')
    .argument('<kind[/name]>')
    .argument('[name]')
    .addOption(output('json'))
    .action(async (what, name, options) => (await import('./describe.ts')).describe({ what, name, ...options }, io))

  connected(
    program,
    'why',
    'which fields of a ModelBooster its children have theirs from; why scaling came to its number; why a model of the catalog has its templates, and a service the one it runs',
  )
    .argument('<kind[/name]>', 'such as modelserving/chat-a or autoscalingpolicybinding/chat')
    .argument('[name...]')
    .option('-f, --filename <file>', 'ask the ModelBoosters of a file instead of a cluster; may be repeated', collected)
    .option('--field <path>', 'only fields that begin so, such as spec.template.roles[0]')
    .option('--all', 'those too that no field of the ModelBooster changes')
    .addOption(output('json'))
    .action(async (what, names, options) => (await import('./why.ts')).why({ what, names, ...options }, io))

  connected(program, 'logs', 'the log of a container')
    .argument('<pod>')
    .option('-c, --container <name>', 'default the engine, else the first one')
    .option('-f, --follow', 'go on as lines are written')
    .option('-p, --previous', 'of the container before its last restart')
    .option('--tail <lines>', 'only so many of the last lines', count)
    .action(async (pod, options) => (await import('./logs.ts')).logs({ pod, ...options }, io))

  const steering = program
    .command('rollout')
    .description('how a change of a ModelServing reaches its pods, and the way back')
  const steer = (action: RolloutAction, about: string) =>
    connected(steering, action, about)
      .argument('<kind/name>', 'such as modelserving/chat-a')
      .argument('[name]')
      .action(async (what, name, options) =>
        (await import('./rollout.ts')).rollout({ action, what, name, ...options }, io),
      )
  steer('status', 'how far it has come; waits until it is done')
    .option('--no-watch', 'say it once')
    .option('--timeout <seconds>', 'end with 1 when it is not done by then; 0 waits for ever', seconds, 0)
    .addOption(output('json'))
  steer('history', 'the templates there were')
    .option('--revision <number>', 'one of them in full', count)
    .addOption(output('json'))
  steer('undo', 'go back to a former template').option('--to-revision <number>', 'default the one before', count)
  steer('restart', 'make all pods anew, at the pace of the rollout')
  steer('pause', 'replace nothing until it is resumed')
  steer('resume', 'go on')

  connected(program, 'delete', 'delete objects and what they own')
    .argument('[kind[/name]]')
    .argument('[name...]')
    .option('-f, --filename <file...>', 'delete what these files name')
    .addOption(
      new Option('--cascade <how>', 'what becomes of what they own')
        .choices(['background', 'foreground', 'orphan'])
        .default('background'),
    )
    .option('--ignore-not-found', 'what is gone already is fine')
    .action(async (what, names, options) => (await import('./delete.ts')).remove({ what, names, ...options }, io))

  program
    .command('render')
    .description('print the objects that ModelBoosters in files would become; needs no server')
    .requiredOption('-f, --filename <file...>', 'a file, a directory, or - for standard input')
    .addOption(output('yaml', 'json').default('yaml'))
    .action(async (options) => (await import('./render.ts')).render(options, io))

  connected(program, 'plan', 'what applying files would change, and why; with --offline no server is asked')
    .requiredOption('-f, --filename <file...>', 'a file, a directory, or - for standard input')
    .option('--offline', 'as if nothing were there')
    .option('--from <file...>', 'offline, as if these files were applied already')
    .option('--full', 'show what is new in full')
    .addOption(output('json'))
    .action(async (options) => (await import('./plan.ts')).plan(options, io))

  connected(program, 'eject', 'the children of a ModelBooster as plain objects, for going on without it')
    .argument('[kind/name]', 'such as modelbooster/chat')
    .argument('[name...]')
    .option('-f, --filename <file>', 'of the ModelBoosters in a file instead; may be repeated', collected)
    .addOption(output('yaml', 'json').default('yaml'))
    .action(async (what, names, options) => (await import('./eject.ts')).ejectBooster({ what, names, ...options }, io))

  program
    .command('convert')
    .description('print objects of files in another shape, and what that cannot carry; needs no server')
    .requiredOption('-f, --filename <file...>', 'a file, a directory, or - for standard input')
    .addOption(
      new Option(
        '--to <shape>',
        'a ModelBooster with a list of backends or a single one; scaling by bindings or by targets in the policy; a ModelBooster for each earlier Model',
      )
        .choices(shapes)
        .makeOptionMandatory(),
    )
    .option('--json', 'objects and losses as JSON')
    .action(async (options) => (await import('./convert.ts')).convertDocuments(options, io))

  program
    .command('validate')
    .description('check files against schemas and rules, and say what to write instead; needs no server')
    .requiredOption('-f, --filename <file...>', 'a file, a directory, or - for standard input')
    .option('--json', 'findings as JSON')
    .action(async (options) => (await import('./validate.ts')).validate(options, io))

  program
    .command('simulate')
    .description(
      'replay a load through an autoscaling policy, by the functions that the autoscaler runs; needs no server',
    )
    .addArgument(new Argument('<what>').choices(['scaling']))
    .requiredOption('-f, --filename <file...>', 'the policy, and its binding if it has one')
    .option(
      '--trace <file>',
      'CSV: a column "seconds", and one for each metric, or "load" for all of them; - for standard input',
    )
    .addOption(new Option('--generate <shape>', 'make a load up instead').choices(['day', 'ramp', 'spike']))
    .option('--peak <load>', 'highest total of a load that is made up', atLeastZero, 100)
    .option('--minutes <minutes>', 'how long it lasts', countFromOne, 60)
    .option('--start-seconds <seconds>', 'from asking for an instance to its being ready', seconds, 60)
    .option('--replicas <number>', 'instances of each target to begin with; default minReplicas', count)
    .option('--all', 'a line for each look at the metrics, not only for each change')
    .option('--svg <file>', 'write a picture of replicas over time')
    .addOption(output('json'))
    .action(async (_, options) => (await import('./simulate-scaling.ts')).simulateScaling(options, io))

  program
    .command('version')
    .description('versions of fairlead, Node.js and the Kubernetes API')
    .addOption(output('json'))
    .action(async (options) => (await import('./version.ts')).version(options, io))

  program
    .command('completion')
    .description('print a completion script')
    .argument('<shell>', 'bash, zsh or fish')
    .action(async (shell) => (await import('./completion.ts')).completion({ shell, program }, io))

  return program
}

/** A command that talks to an API server. */
function connected(program: Command, name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .option('-n, --namespace <namespace>', 'default the one of the kubeconfig, else "default"')
    .option('--kubeconfig <file>', 'default $KUBECONFIG, else .fairlead/kubeconfig, else ~/.kube/config')
    .option('--context <name>', 'context of the kubeconfig to use')
}

const registriesFile = 'YAML about container registries: mirrors, those without TLS, a certificate authority'
const kubeconfigOrPod = 'default as of the other commands, else the service account of the pod this runs in'
const addressForm = 'HOST:PORT, :PORT for all addresses, 0 for none'

function logLevel(standard: LogLevel): Option {
  return new Option('--log-level <level>', 'least level of what is logged, as JSON, on standard error')
    .choices(logLevels)
    .default(standard)
}

function output(...forms: readonly string[]): Option {
  return new Option('-o, --output <form>', 'form of the output').choices(forms)
}

/** Of a flag that may be repeated and, unlike one that takes several values, leaves the words behind it to others. */
function collected(text: string, before: readonly string[] = []): string[] {
  return [...before, text]
}

const seconds = count

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import type { ContainerRun, RunEvent } from './container-runtime.ts'
import { mapPaths, processRuntime } from './process-runtime.ts'
import type { ProcessEntry } from './runtimes-config.ts'

const entry: ProcessEntry = { image: '*', runtime: 'process', env: {}, volumes: {} }
const container: ContainerRun = {
  podUid: 'u',
  container: 'c',
  image: 'i',
  command: [],
  args: [],
  env: {},
  workingDir: undefined,
  host: '127.20.0.1',
  mapped: false,
  mounts: new Map(),
}

/** Starts a process; `line` resolves with the first line it says, `end` with its last event. */
function start(run: Partial<ContainerRun>, over: Partial<ProcessEntry> = {}) {
  const line = Promise.withResolvers<string>()
  const end = Promise.withResolvers<RunEvent>()
  const hosts = (name: string) => (name === 'leader-0.ns' ? '127.20.0.9' : undefined)
  const handle = processRuntime({ ...entry, ...over }, hosts).start({ ...container, ...run }, (event) => {
    if (event.event === 'log') line.resolve(event.line)
    else end.resolve(event)
  })
  return { handle, line: line.promise, end: end.promise }
}

const sh = (script: string) => ({ command: ['/bin/sh', '-c', script] })

test('a process runs with its environment and ends with its exit code', async () => {
  const { line, end } = start({ ...sh('echo "$A $POD_IP"; exit 7'), env: { A: 'b' } })
  assert.equal(await line, 'b 127.20.0.1')
  assert.deepEqual(await end, { event: 'exited', exitCode: 7 })
})

test('names of pods become their addresses, mount paths directories', async () => {
  const mounts = new Map([['/cache', '/tmp/x']])
  const { line } = start({ ...sh('echo "$ENTRY" $0'), env: { ENTRY: 'leader-0.ns' }, args: ['/cache/m'], mounts })
  assert.equal(await line, '127.20.0.9 /tmp/x/m')
})

test('the entry may give the command, with the pod’s variables', async () => {
  const { line } = start({ env: { M: 'm' } }, { command: ['/bin/echo', '$(POD_IP)', '$(M)', '$(X)'] })
  assert.equal(await line, '127.20.0.1 m $(X)')
})

test('a container without a command says what to write', () => {
  assert.throws(() => start({}), /no command.*give the container a command, or give "command" to the entry/)
})

test('a working directory that is not there is named', () => {
  const run = { ...sh('true'), workingDir: '/no/such/place' }
  assert.throws(() => start(run), /working directory \/no\/such\/place .*workingDir, or give "cwd"/)
})

test('a program that is none ends with the shell’s 127 and says so', async () => {
  const { line, end } = start({ command: ['/no/such/program'] })
  assert.match(await line, /\/no\/such\/program/)
  assert.deepEqual(await end, { event: 'exited', exitCode: 127 })
})

test('KILL takes the whole group, and nobody is left', async () => {
  const { handle, line, end } = start(sh('sleep 600 & echo $!; wait'))
  const child = Number(await line)
  handle.stop('KILL')
  assert.deepEqual(await end, { event: 'exited', exitCode: 137, signal: 9 })
  await gone(child)
})

test('what a process leaves behind when it ends goes too', async () => {
  const { line, end } = start(sh('sleep 600 & echo $!'))
  const child = Number(await line)
  await end
  await gone(child)
})

test('TERM lets a process end in its own way', async () => {
  const { handle, line, end } = start(sh('trap "exit 5" TERM; echo up; while :; do sleep 0.01; done'))
  await line
  handle.stop('TERM')
  assert.deepEqual(await end, { event: 'exited', exitCode: 5 })
})

test('a command beside the container has its exit code', async () => {
  const { handle, line, end } = start({ ...sh('echo up; sleep 600'), env: { A: 'b' } })
  await line
  const run = (script: string) => handle.exec?.(['/bin/sh', '-c', script], new AbortController().signal)
  assert.equal(await run('test "$A" = b'), 0)
  assert.equal(await run('exit 3'), 3)
  handle.stop('KILL')
  await end
})

test('when we are killed the process goes with us', async () => {
  const script = `
    import { processRuntime } from ${JSON.stringify(import.meta.resolve('./process-runtime.ts'))}
    const command = ['/bin/sh', '-c', 'echo $$; exec sleep 600']
    const run = { ...${JSON.stringify(container)}, command, mounts: new Map() }
    processRuntime(${JSON.stringify(entry)}, () => undefined).start(run, (event) => console.log(event.line))`
  const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [pid] = (await once(createInterface({ input: parent.stdout }), 'line')) as [string]
  parent.kill('SIGKILL')
  await gone(Number(pid))
})

/** Resolves once the process is gone; one that only waits for init to look at it counts as gone. */
async function gone(pid: number): Promise<void> {
  await once(spawn('/bin/sh', ['-c', `while ps -o stat= -p ${pid} | grep -q '^[^Z]'; do sleep 0.01; done`]), 'exit')
}

const paths: Record<string, { text: string; want: string }> = {
  'a path below a mount': { text: '/cache/a', want: '/d1/a' },
  'a mount after an equals sign': { text: '--dir=/cache', want: '--dir=/d1' },
  'the longer mount wins': { text: '/cache/deep/x', want: '/d2/x' },
  'a longer name is another path': { text: '/cached/x', want: '/cached/x' },
  'a path inside another is not a mount': { text: '/usr/cache', want: '/usr/cache' },
}
const mounts = new Map([
  ['/cache', '/d1'],
  ['/cache/deep', '/d2'],
])
for (const [name, { text, want }] of Object.entries(paths)) {
  test(`paths: ${name}`, () => assert.equal(mapPaths(text, mounts), want))
}

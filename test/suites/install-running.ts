/** The programs at work, with no other rights than an installation gives them. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Kubectl } from '../conformance/kubectl.ts'
import { root } from '../install/objects.ts'
import { type Program, programs, startProgram } from '../install/program-process.ts'
import type { Install, InstallCases } from './install-suite.ts'
import { config, established, serving, systemNamespace as system, versions } from './install-tools.ts'

export const runningCases: InstallCases = {
  'the programs of the whole cluster need no right but those that they have': async (install) => {
    await install.kubectl(system).ok(`apply -k ${config('default')}`)
    const elsewhere = install.kubectl('elsewhere')
    await elsewhere.ok('create namespace elsewhere')
    await atWork(install, { home: system, watched: 'elsewhere' })
    await elsewhere.ok('delete namespace elsewhere --wait=false')
  },

  'the programs of one namespace need nothing outside of it': async (install) => {
    const own = install.kubectl('fairlead')
    const narrow = config('namespaced')
    await own.ok(`apply -f ${config('crd')}`)
    await own.ok('create namespace fairlead')
    assert.doesNotMatch(await own.ok(`apply -k ${narrow}`), /cluster|customresource|^namespace/im)
    const before = await versions(own, `-k ${narrow}`)
    await own.ok(`apply -k ${narrow}`)
    assert.deepEqual(await versions(own, `-k ${narrow}`), before)
    await atWork(install, { home: 'fairlead', watched: 'fairlead' })
    await own.ok('delete namespace fairlead --wait=false')
  },
}

interface Places {
  /** Where the programs are installed. */
  readonly home: string
  /** A namespace that they look after. */
  readonly watched: string
}

/** Both become ready, a serving gets its pod, and nothing is refused. */
async function atWork({ kubectl, home: folder }: Install, { home, watched }: Places): Promise<void> {
  const own = kubectl(watched)
  await established(own)
  await using stack = new AsyncDisposableStack()
  const running = await Promise.all(
    programs.map(async (program) => {
      const KUBECONFIG = await accountOf(program, kubectl(home), folder)
      const args = JSON.parse(await kubectl(home).ok(`get deployment fairlead-${program} -o ${argsPath}`)) as string[]
      const entrypoint = [process.execPath, join(root, 'bin/fairlead.cjs')]
      return stack.use(startProgram(entrypoint, { program, args, namespace: home, env: { KUBECONFIG, HOME: folder } }))
    }),
  )
  for (const program of running) await program.ready()
  await own.ok('create -f -', { input: serving('at-work') })
  await own.ok('wait --for=create pod/at-work-0-leader-0-0 --timeout=25s')
  await own.ok('delete modelserving at-work')
  for (const program of running) assert.deepEqual(await program.stop(), { code: 0, complaints: [] })
}

const argsPath = 'jsonpath={.spec.template.spec.containers[0].args}'

/** A kubeconfig with which a program is its service account. */
async function accountOf(program: Program, { ok, namespace }: Kubectl, folder: string): Promise<string> {
  const token = (await ok(`create token fairlead-${program}`)).trim()
  const config = JSON.parse(await ok('config view --raw --minify -o json')) as { users: { user: object }[] }
  const users = config.users.map((entry) => ({ ...entry, user: { token } }))
  const file = join(folder, `${namespace}-${program}.kubeconfig`)
  writeFileSync(file, JSON.stringify({ ...config, users }), { mode: 0o600 })
  return file
}

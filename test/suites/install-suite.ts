import { execFile } from 'node:child_process'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { type Kubectl, kubectlIn, type KubectlTarget } from '../conformance/kubectl.ts'
import { root } from '../install/objects.ts'
import { definitionCases } from './install-definitions.ts'
import { helmCases } from './install-helm.ts'
import { programCases } from './install-programs.ts'
import { runningCases } from './install-running.ts'
import { userCases } from './install-users.ts'

/** A cluster to install on, with a kubeconfig of its administrator. Nobody else may use it meanwhile. */
export interface InstallTarget extends KubectlTarget {
  /** The program. */
  readonly helm: string
}

/** What one case gets. All paths are of the repository's root. */
export interface Install {
  readonly home: string
  kubectl(namespace: string): Kubectl
  /** What Helm printed; it must end with 0. */
  helm(line: string): Promise<string>
}

/** What an installation must do, in sentences. */
export type InstallCases = Readonly<Record<string, (install: Install) => Promise<void>>>

const cases: InstallCases = { ...definitionCases, ...programCases, ...runningCases, ...userCases, ...helmCases }

/**
 * Registers a test for each case; they run one after the other, for a cluster has but one set of definitions. `open` is
 * called once. `cannot` lists by name what this cluster does not do, with the reason; such a case must fail.
 */
export function installSuite(
  name: string,
  open: () => Promise<InstallTarget & AsyncDisposable>,
  cannot: Readonly<Record<string, string>> = {},
): void {
  describe(name, () => {
    let target: Awaited<ReturnType<typeof open>>
    before(async () => {
      target = await open()
    })
    after(() => target[Symbol.asyncDispose]())
    for (const [sentence, run] of Object.entries(cases)) {
      test(sentence, async () => {
        const reason = cannot[sentence]
        if (reason === undefined) return run(installOn(target))
        const passed = await run(installOn(target)).then(
          () => true,
          () => false,
        )
        if (passed) throw new Error(`passes, though it is listed as what cannot be: ${reason}`)
      })
    }
  })
}

function installOn(target: InstallTarget): Install {
  const { home, kubeconfig, helm } = target
  const env = { PATH: process.env['PATH'], HOME: home, KUBECONFIG: kubeconfig }
  return {
    home,
    kubectl: (namespace) => kubectlIn(namespace, target),
    async helm(line) {
      const options = { cwd: root, env, timeout: 60_000, maxBuffer: 2 ** 26 }
      return (await promisify(execFile)(helm, line.split(' '), options)).stdout
    },
  }
}

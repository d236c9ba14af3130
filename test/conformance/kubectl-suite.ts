import { after, before, describe, test } from 'node:test'
import { deleteCases } from './kubectl-delete.ts'
import { discoveryCases } from './kubectl-discovery.ts'
import { getCases } from './kubectl-get.ts'
import { podCases } from './kubectl-pods.ts'
import { writeCases } from './kubectl-write.ts'
import { applyCases } from './kubectl-apply.ts'
import { type Kubectl, kubectlIn, type KubectlTarget } from './kubectl.ts'

/** What kubectl must be able to do with an API server that runs our controllers, in sentences. */
export type KubectlCases = Readonly<Record<string, (kubectl: Kubectl) => Promise<void>>>

const cases: KubectlCases = {
  ...discoveryCases,
  ...getCases,
  ...applyCases,
  ...writeCases,
  ...deleteCases,
  ...podCases,
}

/** Registers a test for each case, which run side by side, each in a namespace of its own. `open` is called once. */
export function kubectlSuite(name: string, open: () => Promise<KubectlTarget & AsyncDisposable>): void {
  describe(name, { concurrency: 4 }, () => {
    let target: Awaited<ReturnType<typeof open>>
    before(async () => {
      target = await open()
    })
    after(() => target[Symbol.asyncDispose]())
    for (const [index, [sentence, run]] of Object.entries(cases).entries()) {
      test(sentence, async () => {
        const kubectl = kubectlIn(`kubectl-${index}`, target)
        await kubectl.ok(`create namespace ${kubectl.namespace}`)
        await run(kubectl)
      })
    }
  })
}

import assert from 'node:assert/strict'
import type { InstallCases } from './install-suite.ts'
import { established, serving, systemNamespace as system, versions } from './install-tools.ts'

/** Also where kubectl was here before. */
const bring = (chart: string): string =>
  `upgrade --install --take-ownership --namespace ${system} --create-namespace ${chart} charts/${chart}`

const definitions = bring('fairlead-crds')
const programs = bring('fairlead')
const ours = 'deployments,services,serviceaccounts,roles,rolebindings,networkpolicies,poddisruptionbudgets'

export const helmCases: InstallCases = {
  'Helm brings the definitions, brings them again without a change, and leaves them and all objects': async ({
    kubectl,
    helm,
  }) => {
    const own = kubectl('helm-definitions')
    await own.ok(`create namespace ${own.namespace}`)
    await helm(definitions)
    await established(own)
    await own.ok('create -f -', { input: serving('chat') })
    const before = await versions(own, 'crds')
    await helm(definitions)
    assert.deepEqual(await versions(own, 'crds'), before)
    await helm(`uninstall --namespace ${system} fairlead-crds`)
    assert.deepEqual(await versions(own, 'crds'), before)
    assert.match(await own.ok('get modelservings -o name'), /\/chat\n/)
    await own.ok(`delete namespace ${own.namespace} --wait=false`)
  },

  'Helm brings the programs, changes them, and takes them away without an object of ours': async ({
    kubectl,
    helm,
  }) => {
    const own = kubectl('helm-programs')
    await own.ok(`create namespace ${own.namespace}`)
    await helm(definitions)
    await established(own)
    await own.ok('create -f -', { input: serving('chat') })
    assert.match(await helm(programs), /is installed in fairlead-system/)
    const before = await versions(kubectl(system), ours)
    await helm(programs)
    assert.deepEqual(await versions(kubectl(system), ours), before)
    await helm(`${programs} --set router.replicas=5`)
    const router = kubectl(system).ok('get deployment fairlead-router -o jsonpath={.spec.replicas}')
    assert.equal(await router, '5')
    await helm(`uninstall --namespace ${system} fairlead`)
    assert.equal(await kubectl(system).ok('get deployments -o name'), '')
    assert.match(await own.ok('get modelservings -o name'), /\/chat\n/)
    await helm(`uninstall --namespace ${system} fairlead-crds`)
    await own.ok(`delete namespace ${own.namespace} --wait=false`)
  },
}

import assert from 'node:assert/strict'
import type { InstallCases } from './install-suite.ts'
import { config, established, serving } from './install-tools.ts'

/** What a user tries → whether it is theirs to do. */
type Attempts = Readonly<Record<string, boolean>>

const user = (namespace: string, name: string): string => `--as=system:serviceaccount:${namespace}:${name}`

export const userCases: InstallCases = {
  'users have our kinds by the roles view, edit and admin, each in the namespace of their team': async ({
    kubectl,
  }) => {
    await kubectl('default').ok(`apply -k ${config('crd')}`)
    await kubectl('default').ok(`apply -k ${config('user-roles')}`)
    await established(kubectl('default'))
    const members = { 'team-a': ['view', 'edit'], 'team-b': ['admin'] }
    for (const [team, roles] of Object.entries(members)) {
      const { ok } = kubectl(team)
      await ok(`create namespace ${team}`)
      await ok('create -f -', { input: serving('there') })
      for (const role of roles) {
        await ok(`create serviceaccount ${role}`)
        await ok(`create rolebinding ${role} --clusterrole=${role} --serviceaccount=${team}:${role}`)
      }
    }
    // A controller of Kubernetes adds our roles to its own.
    for (
      let tries = 0;
      (await kubectl('team-a').run(`auth can-i get modelservings ${user('team-a', 'view')}`)).code !== 0;
      tries++
    )
      assert.ok(tries < 20, 'our roles are not aggregated')

    const of = (namespace: string, name: string) => async (attempts: Attempts) => {
      for (const [line, theirs] of Object.entries(attempts)) {
        const [team = '', ...words] = line.split(' ')
        const { run } = kubectl(team)
        const input = serving('new')
        const { code, err } = await run([...words, user(namespace, name)], words.includes('-') ? { input } : {})
        assert.equal(code === 0, theirs, `${name} of ${namespace}: ${line}: ${err}`)
        if (!theirs) assert.match(err, /\(Forbidden\)/)
      }
    }
    await of(
      'team-a',
      'view',
    )({
      'team-a get modelservings,modelboosters,modelroutes,modelservers,autoscalingpolicies,autoscalingpolicybindings': true,
      'team-a create -f -': false,
      'team-a scale modelserving there --replicas=2': false,
      'team-a delete modelserving there': false,
      'team-b get modelservings': false,
    })
    await of(
      'team-a',
      'edit',
    )({
      'team-a create -f -': true,
      'team-a scale modelserving new --replicas=2': true,
      'team-a patch modelserving new --subresource=status --type=merge -p {"status":{"replicas":7}}': false,
      'team-a delete modelserving new': true,
      'team-b get modelservings': false,
      'team-b create -f -': false,
      'team-b delete modelserving there': false,
    })
    await of(
      'team-b',
      'admin',
    )({
      'team-b create -f -': true,
      'team-b delete modelserving new': true,
      'team-a get modelserving there': false,
      'team-a delete modelserving there': false,
    })
    for (const team of Object.keys(members)) await kubectl(team).ok(`delete namespace ${team} --wait=false`)
  },
}

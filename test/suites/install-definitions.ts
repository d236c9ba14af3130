import assert from 'node:assert/strict'
import { ownKinds } from '#api/kinds.ts'
import type { AnyResource } from '#machinery/meta.ts'
import type { Kubectl } from '../conformance/kubectl.ts'
import { earlierCommit, writeEarlier } from '../install/earlier.ts'
import { objectsOf } from '../install/objects.ts'
import type { InstallCases } from './install-suite.ts'
import { config, established, versions } from './install-tools.ts'

const crds = config('crd')

const earlier = earlierCommit()
if (earlier === undefined) console.error('the upgrade of the definitions is left out: git knows of no earlier ones')

const upgrade: InstallCases = {
  'objects outlive the upgrade of the definitions from those before, whole and writable': async ({ kubectl, home }) => {
    const { ok } = kubectl('upgrade')
    await ok('create namespace upgrade')
    writeEarlier(earlier ?? '', home)
    await ok(`apply --server-side --force-conflicts -f ${home}/config/crd`)
    await established(kubectl('upgrade'))
    const folders = ['model-booster', 'by-hand', 'quickstart.yaml'].map((name) => `-f ${home}/examples/${name}`)
    await ok(`apply --server-side --force-conflicts ${folders.join(' ')}`)
    const before = await specs(ok)
    assert.ok(before.length > 20, String(before.length))
    await ok(`apply --server-side --force-conflicts -f ${crds}`)
    await established(kubectl('upgrade'))
    assert.deepEqual(await specs(ok), before)
    for (const { plural, group } of ownKinds) await ok(`annotate ${plural}.${group} --all touched=yes`)
    assert.deepEqual(await specs(ok), before)
    await ok('delete namespace upgrade --wait=false')
  },
}

export const definitionCases: InstallCases = {
  ...(earlier === undefined ? {} : upgrade),

  'the definitions apply, and applying them again changes nothing': async ({ kubectl }) => {
    const own = kubectl('default')
    for (const how of ['', ' --server-side --force-conflicts']) {
      await own.ok(`apply${how} -f ${crds}`)
      await established(own)
      const before = await versions(own, `-f ${crds}`)
      assert.equal(before.length, ownKinds.length)
      await own.ok(`apply${how} -f ${crds}`)
      assert.deepEqual(await versions(own, `-f ${crds}`), before, how)
    }
  },

  'kubectl explain tells what the fields mean': async ({ kubectl }) => {
    const { run } = kubectl('default')
    for (const { singular } of ownKinds)
      assert.match(await explained(run, `${singular}.spec`), /^DESCRIPTION:\n {4}\S/m)
    const template = await explained(run, 'modelserving.spec.template')
    assert.match(template, /^ {2}roles\t<\[\]Object> -required-\n {4}\S/m)
  },
}

/** All objects of our kinds: which they are, and what they want. */
async function specs(ok: Kubectl['ok']): Promise<object[]> {
  const lists = await Promise.all(ownKinds.map(({ plural, group }) => ok(`get ${plural}.${group} -o yaml`)))
  const items = lists.flatMap((list) =>
    (objectsOf(list) as unknown as { items: AnyResource[] }[]).flatMap((each) => each.items),
  )
  return items.map(({ kind, metadata: { name, uid }, spec }) => ({ kind, name, uid, spec }))
}

/** A server takes a moment to publish a kind that is new to it. */
async function explained(run: Kubectl['run'], path: string): Promise<string> {
  for (let tries = 0; ; tries++) {
    const { code, out, err } = await run(`explain ${path}`)
    if (code === 0) return out
    if (tries === 20) throw new Error(err)
  }
}

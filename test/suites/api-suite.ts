import { type TestContext, test } from 'node:test'
import { customKindCases } from './api-custom-kinds.ts'
import { deleteCases } from './api-delete.ts'
import { listCases } from './api-list.ts'
import { patchCases } from './api-patch.ts'
import { protocolCases } from './api-protocol.ts'
import { apiOf, type Api, type ApiTarget, gizmoDefinition } from './api-target.ts'
import { builtinCases } from './api-builtin.ts'
import { watchCases } from './api-watch.ts'
import { writeCases } from './api-write.ts'

/** What an API server must do, in sentences. */
export type ApiCases = Readonly<Record<string, (api: Api, t: TestContext) => Promise<void>>>

const cases: ApiCases = {
  ...writeCases,
  ...patchCases,
  ...deleteCases,
  ...listCases,
  ...watchCases,
  ...customKindCases,
  ...builtinCases,
  ...protocolCases,
}

/**
 * Registers a test for each case. `open` is called once. `cannot` lists by name what this server does differently, with
 * the reason; such a case must fail, so that the list does not outlive its reasons.
 */
export function apiSuite(
  name: string,
  open: () => Promise<ApiTarget>,
  cannot: Readonly<Record<string, string>> = {},
): void {
  let opened: Promise<ApiTarget> | undefined
  let count = 0
  for (const [sentence, run] of Object.entries(cases)) {
    test(`${name}: ${sentence}`, async (t) => {
      const target = await (opened ??= open().then(prepared))
      const namespace = `suite-${(count++).toString(36)}-${process.pid.toString(36)}`
      const api = apiOf(target, namespace)
      await api.object('POST', '/api/v1/namespaces', { metadata: { name: namespace } })
      if (cannot[sentence] === undefined) return run(api, t)
      const passed = await run(api, t).then(
        () => true,
        () => false,
      )
      if (passed) throw new Error(`passes, though it is listed as what cannot be: ${cannot[sentence]}`)
    })
  }
}

/** With the suite's custom kind installed and served. */
async function prepared(target: ApiTarget): Promise<ApiTarget> {
  const api = apiOf(target, '')
  const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
  const { status } = await api.ask('POST', path, gizmoDefinition)
  if (status !== 409) {
    const name = `metadata.name=${gizmoDefinition.metadata.name}`
    await using watch = await api.watch(`${path}?fieldSelector=${name}`)
    for (;;) {
      const { object } = await watch.next()
      const conditions = (object.status?.['conditions'] ?? []) as { type: string; status: string }[]
      if (conditions.some((condition) => condition.type === 'Established' && condition.status === 'True')) break
    }
  }
  return target
}

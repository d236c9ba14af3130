/** Servings that the tests of ModelServing share, and how they wait for them. */
import { Pod } from '#api/core/kinds.ts'
import { ModelServing } from '#api/model-serving.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { modelServing, podTemplate, role } from './builders.ts'
import type { Tools } from './tools.ts'

/** Base A: one role of one pod. */
export const a = (spec: Record<string, unknown> = {}, container: Record<string, unknown> = {}) =>
  modelServing('chat', {
    schedulerName: 'default-scheduler',
    replicas: 2,
    template: { roles: [role('decode', { entryTemplate: podTemplate(container) })] },
    ...spec,
  })

/** Base B: a role with a worker beside one of two replicas. */
export const b = (spec: Record<string, unknown> = {}, template: Record<string, unknown> = {}) =>
  modelServing('pd', {
    schedulerName: 'default-scheduler',
    template: {
      roles: [role('prefill', { workerReplicas: 1, workerTemplate: podTemplate() }), role('decode', { replicas: 2 })],
      ...template,
    },
    ...spec,
  })

export const chat = { namespace: 'default', name: 'chat' }
export const podsOfB = ['pd-0-decode-0-0', 'pd-0-decode-1-0', 'pd-0-prefill-0-0', 'pd-0-prefill-0-1']

export const namesOf = async (tools: Tools): Promise<string[]> =>
  (await tools.list(Pod)).map(({ metadata }) => metadata.name ?? '').sort()

/** Name → uid, of pods that are not on their way out. */
export async function uidsOf(tools: Tools): Promise<Record<string, string>> {
  const pods = (await tools.list(Pod)).filter(({ metadata }) => metadata.deletionTimestamp === undefined)
  return Object.fromEntries(pods.map(({ metadata }) => [metadata.name ?? '', metadata.uid ?? '']))
}

/** Names of the pods that are others now. */
export function replaced(before: Record<string, string>, now: Record<string, string>): string[] {
  return Object.keys(now)
    .filter((name) => now[name] !== before[name])
    .sort()
}

export async function servingOf(tools: Tools, name: string): Promise<ModelServing> {
  return tools.client.get(ModelServing, { namespace: 'default', name })
}

/** Applied, and all of it ready and at rest. */
export async function up(tools: Tools, object: AnyResource): Promise<void> {
  await tools.apply(object)
  await atRest(tools, object.metadata.name ?? '')
}

export async function atRest(tools: Tools, name: string): Promise<void> {
  await tools.until(`${name} to be as it shall`, async () => {
    const { metadata, spec, status } = await servingOf(tools, name)
    return (
      status?.observedGeneration === metadata.generation &&
      status?.replicas === spec.replicas &&
      status?.updatedReplicas === spec.replicas &&
      status?.availableReplicas === spec.replicas &&
      status.conditions?.some(({ type, status: holds }) => type === 'Available' && holds === 'True') &&
      (await tools.list(Pod)).every((pod) => pod.metadata.deletionTimestamp === undefined)
    )
  })
  await tools.settled()
}

/** Pod name → image of its first container. */
export async function imagesOf(tools: Tools): Promise<Record<string, string>> {
  const pods = await tools.list(Pod)
  const named = pods.map(({ metadata, spec }): [string, string] => [
    metadata.name ?? '',
    spec?.containers[0]?.image ?? '',
  ])
  return Object.fromEntries(named.sort(([one], [other]) => one.localeCompare(other)))
}

export const image = (version: string) => ({ image: `vllm/vllm-openai:${version}` })

/**
 * The children of a booster as objects that stand by themselves: nobody owns them, and nothing in them says whose they
 * were. Servers select pods by the name of their serving, which every serving gives its pods, in place of the booster's uid.
 */
import { type Dialect, dialectOf } from '#api/dialects.ts'
import { kindsOf } from '#api/family-kinds.ts'
import type { PodTemplateSpec } from '#api/core/types.generated.ts'
import type { ModelServer } from '#api/model-server.ts'
import type { ModelServingSpecInput } from '#api/model-serving.ts'
import type { AnyResource, Resource } from '#machinery/meta.ts'

/** Of `live` the number of replicas is taken, which a scaler may have moved. */
export function eject(child: AnyResource, live: Resource | undefined): AnyResource {
  const { apiVersion, kind, metadata, spec = {} } = child
  const { name, namespace } = metadata
  const dialect = dialectOf(child)
  const { serving, server } = kindsOf(dialect)
  const plain = { apiVersion, kind, metadata: { name, ...(namespace !== undefined && { namespace }) } } as AnyResource
  if (kind === serving.kind) return { ...plain, spec: ejectServing(dialect, spec as unknown as ServingSpec, live) }
  // A server has the name of its serving.
  return {
    ...plain,
    spec: kind === server.kind ? ejectServer(dialect, spec as unknown as ServerSpec, name ?? '') : spec,
  }
}

type ServingSpec = ModelServingSpecInput & Record<string, unknown>
type ServerSpec = ModelServer['spec'] & Record<string, unknown>

function ejectServing(dialect: Dialect, spec: ServingSpec, live: Resource | undefined): Record<string, unknown> {
  const roles = spec.template.roles.map(({ entryTemplate, workerTemplate, ...role }) => ({
    ...role,
    entryTemplate: ejectTemplate(dialect, entryTemplate as PodTemplateSpec),
    ...(workerTemplate !== undefined && { workerTemplate: ejectTemplate(dialect, workerTemplate as PodTemplateSpec) }),
  }))
  const replicas = (live as { spec?: { replicas?: number } } | undefined)?.spec?.replicas ?? spec.replicas
  return { ...(replicas !== undefined && { replicas }), ...spec, template: { ...spec.template, roles } }
}

function ejectTemplate(
  dialect: Dialect,
  { metadata: { labels, ...metadata } = {}, ...template }: PodTemplateSpec,
): PodTemplateSpec {
  const ours = new Set<string>(Object.values(dialect.labels))
  const kept = Object.fromEntries(Object.entries(labels ?? {}).filter(([name]) => !ours.has(name)))
  const told = { ...metadata, ...(Object.keys(kept).length > 0 && { labels: kept }) }
  return Object.keys(told).length === 0 ? template : { metadata: told, ...template }
}

function ejectServer({ podLabels }: Dialect, spec: ServerSpec, servingName: string): Record<string, unknown> {
  const { name, entry } = podLabels
  const matchLabels = { [name]: servingName, [entry]: 'true' }
  return { ...spec, workloadSelector: { ...spec.workloadSelector, matchLabels } }
}

/**
 * The children of a booster as objects that stand by themselves: nobody owns them, and nothing in them says whose they
 * were. Servers select pods by the name of their serving, which every serving gives its pods, in place of the booster's uid.
 */
import { type Dialect, dialectOf } from '#api/dialects.ts'
import { kindsOf } from '#api/family-kinds.ts'
import { loraAnnotations } from '#api/labels.ts'
import type { PodTemplateSpec, TopologySpreadConstraint } from '#api/core/types.generated.ts'
import type { ModelServer } from '#api/model-server.ts'
import type { ModelServingSpecInput } from '#api/model-serving.ts'
import type { AnyResource, Resource } from '#machinery/meta.ts'

/** Of `live` the number of replicas is taken, which a scaler may have moved. */
export function eject(child: AnyResource, live: Resource | undefined): AnyResource {
  const { apiVersion, kind, metadata, spec = {} } = child
  const { name = '', namespace } = metadata
  const dialect = dialectOf(child)
  const { serving, server } = kindsOf(dialect)
  const plain = { apiVersion, kind, metadata: { name, ...(namespace !== undefined && { namespace }) } } as AnyResource
  if (kind === serving.kind)
    return { ...plain, spec: ejectServing({ dialect, name }, spec as unknown as ServingSpec, live) }
  // A server has the name of its serving.
  return {
    ...plain,
    spec: kind === server.kind ? ejectServer(dialect, spec as unknown as ServerSpec, name) : spec,
  }
}

type ServingSpec = ModelServingSpecInput & Record<string, unknown>
interface ServingName {
  readonly dialect: Dialect
  readonly name: string
}
type ServerSpec = ModelServer['spec'] & Record<string, unknown>

function ejectServing(of: ServingName, spec: ServingSpec, live: Resource | undefined): Record<string, unknown> {
  const roles = spec.template.roles.map(({ entryTemplate, workerTemplate, ...role }) => ({
    ...role,
    entryTemplate: ejectTemplate(of, entryTemplate as PodTemplateSpec),
    ...(workerTemplate !== undefined && { workerTemplate: ejectTemplate(of, workerTemplate as PodTemplateSpec) }),
  }))
  const replicas = (live as { spec?: { replicas?: number } } | undefined)?.spec?.replicas ?? spec.replicas
  return { ...(replicas !== undefined && { replicas }), ...spec, template: { ...spec.template, roles } }
}

function ejectTemplate(
  of: ServingName,
  { metadata: { labels, annotations, ...metadata } = {}, spec, ...template }: PodTemplateSpec,
): PodTemplateSpec {
  const told = {
    ...metadata,
    ...nonEmpty({ labels: withoutOurs(of, labels), annotations: withoutOurs(of, annotations) }),
  }
  const spread = spec?.topologySpreadConstraints?.map((constraint) => ejectConstraint(of, constraint))
  return {
    ...(Object.keys(told).length > 0 && { metadata: told }),
    ...template,
    ...(spec !== undefined && { spec: { ...spec, ...(spread && { topologySpreadConstraints: spread }) } }),
  }
}

/** One that was to hold for all pods of the backend does so by the name of their serving. */
function ejectConstraint(of: ServingName, constraint: TopologySpreadConstraint): TopologySpreadConstraint {
  const { matchLabels = {}, ...selector } = constraint.labelSelector ?? {}
  const kept = withoutOurs(of, matchLabels)
  const isOurs = Object.keys(kept).length < Object.keys(matchLabels).length
  const named = isOurs ? { ...kept, [of.dialect.podLabels.name]: of.name } : kept
  return { ...constraint, labelSelector: { ...selector, ...nonEmpty({ matchLabels: named }) } }
}

function withoutOurs({ dialect }: ServingName, members: Record<string, string> = {}): Record<string, string> {
  const ours = new Set<string>([...Object.values(dialect.labels), ...Object.values(loraAnnotations)])
  return Object.fromEntries(Object.entries(members).filter(([name]) => !ours.has(name)))
}

function nonEmpty<T extends Record<string, object>>(members: T): Partial<T> {
  const kept = Object.entries(members).filter(([, member]) => Object.keys(member).length > 0)
  return Object.fromEntries(kept) as Partial<T> // some of the same members
}

function ejectServer({ podLabels }: Dialect, spec: ServerSpec, servingName: string): Record<string, unknown> {
  const { name, entry } = podLabels
  const matchLabels = { [name]: servingName, [entry]: 'true' }
  return { ...spec, workloadSelector: { ...spec.workloadSelector, matchLabels } }
}

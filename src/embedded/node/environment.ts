import type { ConfigMap, Container, EnvVarSource, Pod, Secret } from '#api/core/types.generated.ts'
import { parseQuantity, quantityMillis, quantityUnits } from '#machinery/quantity.ts'
import { expandVariables } from './expand.ts'

export interface EnvironmentSources {
  readonly podIP: string
  readonly hostIP: string
  readonly secret: (name: string) => Secret | undefined
  readonly configMap: (name: string) => ConfigMap | undefined
  /** Of the node; what a container without a limit may use. */
  readonly allocatable: Readonly<Record<string, string>>
}

export interface Environment {
  readonly env: Readonly<Record<string, string>>
  /** What is missing, in the kubelet's words; a container that has any does not start. */
  readonly problems: readonly string[]
}

type EnvContainer = Pick<Container, 'env' | 'envFrom' | 'resources' | 'name'>

/** A container's variables: `envFrom` first, `env` over it, each able to refer to those before. Pure. */
export function resolveEnvironment(pod: Pod, container: EnvContainer, sources: EnvironmentSources): Environment {
  const env: Record<string, string> = { HOSTNAME: pod.metadata.name ?? '' }
  const problems: string[] = []
  const namespace = pod.metadata.namespace ?? ''
  for (const { prefix = '', configMapRef, secretRef } of container.envFrom ?? []) {
    for (const [what, ref, data] of [
      ['configmap', configMapRef, configMapRef && sources.configMap(configMapRef.name ?? '')?.data],
      ['secret', secretRef, secretRef && secretText(sources.secret(secretRef.name ?? ''))],
    ] as const) {
      if (ref === undefined) continue
      if (data !== undefined) for (const [name, value] of Object.entries(data)) env[prefix + name] = value
      else if (ref.optional !== true && !exists(what, ref.name ?? '', sources)) {
        problems.push(`${what} "${ref.name ?? ''}" not found`)
      }
    }
  }
  for (const { name, value, valueFrom } of container.env ?? []) {
    if (valueFrom === undefined) env[name] = expandVariables(value ?? '', (known) => env[known])
    else {
      const found = fromSource(valueFrom, { pod, container, sources, namespace })
      if ('problem' in found) problems.push(found.problem)
      else if (found.value !== undefined) env[name] = found.value
    }
  }
  return { env, problems }
}

type Found = { readonly value: string | undefined } | { readonly problem: string }

interface Context {
  readonly pod: Pod
  readonly container: EnvContainer
  readonly sources: EnvironmentSources
  readonly namespace: string
}

function fromSource(from: EnvVarSource, { pod, container, sources, namespace }: Context): Found {
  if (from.fieldRef !== undefined) return field(from.fieldRef.fieldPath, pod, sources)
  if (from.resourceFieldRef !== undefined) return resource(from.resourceFieldRef, pod, container, sources)
  const { configMapKeyRef, secretKeyRef } = from
  const ref = configMapKeyRef ?? secretKeyRef
  if (ref === undefined) return { problem: 'valueFrom names no source that this node knows' }
  const { name = '', key, optional } = ref
  const what = secretKeyRef === undefined ? 'configmap' : 'secret'
  const data = secretKeyRef === undefined ? sources.configMap(name)?.data : secretText(sources.secret(name))
  const value = data?.[key]
  if (value !== undefined || optional === true) return { value }
  if (!exists(what, name, sources)) return { problem: `${what} "${name}" not found` }
  const kind = what === 'secret' ? 'Secret' : 'ConfigMap'
  return { problem: `couldn't find key ${key} in ${kind} ${namespace}/${name}` }
}

function exists(what: 'configmap' | 'secret', name: string, sources: EnvironmentSources): boolean {
  return (what === 'secret' ? sources.secret(name) : sources.configMap(name)) !== undefined
}

function field(path: string, pod: Pod, { podIP, hostIP }: EnvironmentSources): Found {
  const { metadata, spec } = pod
  const subscript = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path)
  if (subscript !== null) {
    return { value: metadata[subscript[1] as 'labels' | 'annotations']?.[subscript[2] ?? ''] ?? '' }
  }
  switch (path) {
    case 'metadata.name':
      return { value: metadata.name ?? '' }
    case 'metadata.namespace':
      return { value: metadata.namespace ?? '' }
    case 'metadata.uid':
      return { value: metadata.uid ?? '' }
    case 'spec.nodeName':
      return { value: spec?.nodeName ?? '' }
    case 'spec.serviceAccountName':
      return { value: spec?.serviceAccountName ?? 'default' }
    case 'status.podIP':
    case 'status.podIPs':
      return { value: podIP }
    case 'status.hostIP':
    case 'status.hostIPs':
      return { value: hostIP }
    default:
      return { problem: `unsupported fieldPath: ${path}` }
  }
}

function resource(
  {
    containerName,
    resource: path,
    divisor = '1',
  }: { containerName?: string | undefined; resource: string; divisor?: number | string | undefined },
  pod: Pod,
  self: EnvContainer,
  { allocatable }: EnvironmentSources,
): Found {
  const all = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])]
  const container = containerName === undefined ? self : all.find((one) => one.name === containerName)
  if (container === undefined) return { problem: `container ${containerName} not found` }
  const match = /^(limits|requests)\.(.+)$/.exec(path)
  if (match === null) return { problem: `unsupported container resource: ${path}` }
  const [, list, name = ''] = match
  const quantity = container.resources?.[list as 'limits' | 'requests']?.[name]
  const value = quantity ?? (list === 'limits' ? (allocatable[name] ?? '0') : '0')
  const unit = String(divisor) === '0' ? '1' : divisor
  const millis = quantityMillis(parseQuantity(value))
  const unitMillis = quantityMillis(parseQuantity(unit))
  const rounded = unitMillis > 0n ? (millis + unitMillis - 1n) / unitMillis : quantityUnits(parseQuantity(value))
  return { value: String(rounded) }
}

/** A secret's data as text. */
function secretText(secret: Secret | undefined): Record<string, string> | undefined {
  if (secret === undefined) return undefined
  return Object.fromEntries(
    Object.entries(secret.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]),
  )
}

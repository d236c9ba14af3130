import {
  type FieldError,
  duplicateField,
  forbiddenField,
  invalidField,
  requiredField,
  unlessNonNegative,
  unlessOneOf,
} from '#machinery/field-error.ts'
import {
  configKeyErrors,
  dns1123LabelErrors,
  dns1123SubdomainErrors,
  portNameErrors,
  qualifiedNameErrors,
} from '#machinery/names.ts'
import { compareQuantities, parseQuantity, quantityMillis } from '#machinery/quantity.ts'
import type {
  Container,
  ContainerPort,
  EnvVar,
  EnvVarSource,
  Probe,
  ResourceRequirements,
  VolumeMount,
} from './types.generated.ts'

/** What must hold of the containers of a pod. Pure. Source: Kubernetes, pkg/apis/core/validation/validation.go. */
export function containersErrors(
  field: string,
  containers: readonly Container[],
  volumes: ReadonlySet<string>,
): FieldError[] {
  if (containers.length === 0) return [requiredField(field)]
  const names = new Set<string>()
  return containers.flatMap((container, i) => {
    const at = `${field}[${i}]`
    return [
      ...commonErrors(at, container, volumes),
      ...nameTaken(at, container, names),
      ...livenessErrors(`${at}.livenessProbe`, container.livenessProbe),
      ...readinessErrors(`${at}.readinessProbe`, container.readinessProbe),
      ...livenessErrors(`${at}.startupProbe`, container.startupProbe),
    ]
  })
}

const runningMembers = ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const

/** An init container that restarts goes on running beside the others. */
export function initContainersErrors(
  field: string,
  containers: readonly Container[],
  others: readonly Container[],
  volumes: ReadonlySet<string>,
): FieldError[] {
  const names = new Set(others.map(({ name }) => name))
  return containers.flatMap((container, i) => {
    const at = `${field}[${i}]`
    const running =
      container.restartPolicy === 'Always'
        ? [
            ...livenessErrors(`${at}.livenessProbe`, container.livenessProbe),
            ...readinessErrors(`${at}.readinessProbe`, container.readinessProbe),
            ...livenessErrors(`${at}.startupProbe`, container.startupProbe),
          ]
        : runningMembers
            .filter((member) => container[member] !== undefined)
            .map((member) =>
              forbiddenField(`${at}.${member}`, 'may not be set for init containers without restartPolicy=Always'),
            )
    return [...commonErrors(at, container, volumes), ...nameTaken(at, container, names), ...running]
  })
}

function nameTaken(at: string, { name }: Container, names: Set<string>): FieldError[] {
  if (names.has(name)) return [duplicateField(`${at}.name`, name)]
  names.add(name)
  return []
}

const pullPolicies = ['Always', 'IfNotPresent', 'Never']
const messagePolicies = ['File', 'FallbackToLogsOnError']

function commonErrors(at: string, container: Container, volumes: ReadonlySet<string>): FieldError[] {
  const { name, image = '', imagePullPolicy: pull, terminationMessagePolicy: message } = container
  return [
    ...(name === '' ? [requiredField(`${at}.name`)] : invalidField(`${at}.name`, name, ...dns1123LabelErrors(name))),
    ...(image === '' ? [requiredField(`${at}.image`)] : []),
    ...unlessOneOf(`${at}.terminationMessagePolicy`, message, messagePolicies),
    ...portsErrors(`${at}.ports`, container.ports),
    ...(container.env ?? []).flatMap((variable, i) => variableErrors(`${at}.env[${i}]`, variable)),
    ...mountsErrors(`${at}.volumeMounts`, container.volumeMounts, volumes),
    ...unlessOneOf(`${at}.imagePullPolicy`, pull, pullPolicies),
    ...resourcesErrors(`${at}.resources`, container.resources),
  ]
}

/** White space around an image is refused in a pod, not in a template. */
export function imagesErrors(field: string, containers: readonly Container[]): FieldError[] {
  return containers.flatMap(({ image = '' }, i) =>
    image.trim() === image
      ? []
      : invalidField(`${field}[${i}].image`, image, 'must not have leading or trailing whitespace'),
  )
}

const portRange = 'must be between 1 and 65535, inclusive'
const protocols = ['SCTP', 'TCP', 'UDP']

export function portNumberErrors(field: string, port: number): FieldError[] {
  return port >= 1 && port <= 65_535 ? [] : invalidField(field, port, portRange)
}

function portsErrors(field: string, ports: readonly ContainerPort[] = []): FieldError[] {
  const names = new Set<string>()
  return ports.flatMap(({ name = '', containerPort, hostPort, protocol }, i) => {
    const at = `${field}[${i}]`
    const errors: FieldError[] = []
    if (name !== '') {
      const wrong = portNameErrors(name)
      if (wrong.length > 0) errors.push(...invalidField(`${at}.name`, name, ...wrong))
      else if (names.has(name)) errors.push(duplicateField(`${at}.name`, name))
      names.add(name)
    }
    if (containerPort === 0) errors.push(requiredField(`${at}.containerPort`))
    else errors.push(...portNumberErrors(`${at}.containerPort`, containerPort))
    if (hostPort !== undefined) errors.push(...portNumberErrors(`${at}.hostPort`, hostPort))
    errors.push(...protocolErrors(`${at}.protocol`, protocol))
    return errors
  })
}

export function protocolErrors(field: string, protocol: string | undefined): FieldError[] {
  return protocol === undefined ? [requiredField(field)] : unlessOneOf(field, protocol, protocols)
}

export function portOrNameErrors(field: string, port: number | string): FieldError[] {
  return typeof port === 'number' ? portNumberErrors(field, port) : invalidField(field, port, ...portNameErrors(port))
}

function variableErrors(at: string, { name, value = '', valueFrom }: EnvVar): FieldError[] {
  const wrong = "a valid environment variable name must consist only of printable ASCII characters other than '='"
  const named =
    name === ''
      ? [requiredField(`${at}.name`)]
      : invalidField(`${at}.name`, name, ...(/^[ -<>-~]+$/.test(name) ? [] : [wrong]))
  return valueFrom === undefined ? named : [...named, ...sourceErrors(`${at}.valueFrom`, valueFrom, value)]
}

function sourceErrors(at: string, source: EnvVarSource, value: string): FieldError[] {
  const { fieldRef, configMapKeyRef, secretKeyRef } = source
  const errors = [
    ...(fieldRef === undefined ? [] : fieldPathErrors(`${at}.fieldRef`, fieldRef.fieldPath)),
    ...(configMapKeyRef === undefined ? [] : keyErrors(`${at}.configMapKeyRef`, configMapKeyRef)),
    ...(secretKeyRef === undefined ? [] : keyErrors(`${at}.secretKeyRef`, secretKeyRef)),
  ]
  const count = Object.values(source).filter((one) => one !== undefined).length
  if (count === 0) {
    const kinds = '`fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`'
    return [...errors, ...invalidField(at, '', `must specify one of: ${kinds}`)]
  }
  if (value !== '') return [...errors, ...invalidField(at, '', 'may not be specified when `value` is not empty')]
  return count > 1
    ? [...errors, ...invalidField(at, '', 'may not have more than one field specified at a time')]
    : errors
}

const fieldPaths = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
]

function fieldPathErrors(at: string, path: string): FieldError[] {
  if (path === '') return [requiredField(`${at}.fieldPath`)]
  const [, map, key = ''] = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(path) ?? []
  if (map !== undefined)
    return invalidField(at, key, ...qualifiedNameErrors(map === 'labels' ? key : key.toLowerCase()))
  if (fieldPaths.includes(path)) return []
  return invalidField(`${at}.fieldPath`, path, `error converting fieldPath: field label not supported: ${path}`)
}

function keyErrors(
  at: string,
  { name = '', key }: { readonly name?: string | undefined; readonly key: string },
): FieldError[] {
  return [
    ...invalidField(`${at}.name`, name, ...dns1123SubdomainErrors(name)),
    ...(key === '' ? [requiredField(`${at}.key`)] : invalidField(`${at}.key`, key, ...configKeyErrors(key))),
  ]
}

function mountsErrors(field: string, mounts: readonly VolumeMount[] = [], volumes: ReadonlySet<string>): FieldError[] {
  const paths = new Set<string>()
  return mounts.flatMap(({ name, mountPath, subPath, subPathExpr }, i) => {
    const at = `${field}[${i}]`
    const errors: FieldError[] = []
    if (name === '') errors.push(requiredField(`${at}.name`))
    if (!volumes.has(name)) errors.push({ field: `${at}.name`, type: 'FieldValueNotFound', value: name, detail: '' })
    if (mountPath === '') errors.push(requiredField(`${at}.mountPath`))
    if (paths.has(mountPath)) errors.push(...invalidField(`${at}.mountPath`, mountPath, 'must be unique'))
    paths.add(mountPath)
    for (const [member, path] of Object.entries({ subPath, subPathExpr })) {
      if (path !== undefined) errors.push(...relativePathErrors(`${field}.${member}`, path))
    }
    return errors
  })
}

export function relativePathErrors(field: string, path: string): FieldError[] {
  return [
    ...(path.startsWith('/') ? invalidField(field, path, 'must be a relative path') : []),
    ...backstepErrors(field, path),
  ]
}

export function backstepErrors(field: string, path: string): FieldError[] {
  return path.split('/').includes('..') ? invalidField(field, path, `must not contain '..'`) : []
}

type Quantities = Readonly<Record<string, number | string>>

const zero = parseQuantity(0)
const standardResources = ['cpu', 'memory', 'ephemeral-storage']

function resourcesErrors(at: string, { limits = {}, requests = {} }: ResourceRequirements = {}): FieldError[] {
  return [
    ...quantitiesErrors(`${at}.limits`, limits),
    ...Object.entries(requests).flatMap(([name, requested]) => [
      ...quantitiesErrors(`${at}.requests`, { [name]: requested }),
      ...requestErrors(at, name, requested, limits[name]),
    ]),
  ]
}

function quantitiesErrors(field: string, quantities: Quantities): FieldError[] {
  return Object.entries(quantities).flatMap(([name, text]) => {
    const at = `${field}[${name}]`
    const quantity = parseQuantity(text)
    const fraction = isWhole(name) && quantityMillis(quantity) % 1000n !== 0n
    return [
      ...resourceNameErrors(at, name),
      ...(compareQuantities(quantity, zero) < 0 ? invalidField(at, text, 'must be greater than or equal to 0') : []),
      ...(fraction ? invalidField(at, text, 'must be an integer') : []),
    ]
  })
}

/** What only whole numbers of can be had: devices of somebody's. */
function isWhole(name: string): boolean {
  return name.includes('/') && !name.startsWith('kubernetes.io/')
}

function resourceNameErrors(field: string, name: string): FieldError[] {
  const wrong = qualifiedNameErrors(name)
  if (wrong.length > 0) {
    return invalidField(
      field,
      name,
      ...wrong,
      ...(name.includes('/') ? [] : ['must be a standard resource for containers']),
    )
  }
  if (name.includes('/') || standardResources.includes(name) || name.startsWith('hugepages-')) return []
  return invalidField(
    field,
    name,
    'must be a standard resource type or fully qualified',
    'must be a standard resource for containers',
  )
}

function requestErrors(
  at: string,
  name: string,
  requested: number | string,
  limit: number | string | undefined,
): FieldError[] {
  const shared = !isWhole(name) && !name.startsWith('hugepages-')
  if (limit === undefined)
    return shared ? [] : [requiredField(`${at}.limits`, 'Limit must be set for non overcommitable resources')]
  const order = compareQuantities(parseQuantity(requested), parseQuantity(limit))
  if (order !== 0 && !shared)
    return invalidField(`${at}.requests`, requested, `must be equal to ${name} limit of ${limit}`)
  return order > 0
    ? invalidField(`${at}.requests`, requested, `must be less than or equal to ${name} limit of ${limit}`)
    : []
}

const handlers = ['exec', 'httpGet', 'tcpSocket', 'grpc'] as const
const times = [
  'initialDelaySeconds',
  'timeoutSeconds',
  'periodSeconds',
  'successThreshold',
  'failureThreshold',
] as const

function probeErrors(at: string, probe: Probe): FieldError[] {
  const grace = probe.terminationGracePeriodSeconds
  return [
    ...handlerErrors(at, probe),
    ...times.flatMap((name) => unlessNonNegative(`${at}.${name}`, probe[name])),
    ...(grace !== undefined && grace <= 0
      ? invalidField(`${at}.terminationGracePeriodSeconds`, grace, 'must be greater than 0')
      : []),
  ]
}

function handlerErrors(at: string, probe: Probe): FieldError[] {
  const [first, ...others] = handlers.filter((name) => probe[name] !== undefined)
  if (first === undefined) return [requiredField(at, 'must specify a handler type')]
  return [
    ...firstHandlerErrors(at, probe),
    ...others.map((name) => forbiddenField(`${at}.${name}`, 'may not specify more than 1 handler type')),
  ]
}

function firstHandlerErrors(at: string, { exec, httpGet, tcpSocket, grpc }: Probe): FieldError[] {
  if (exec !== undefined) return (exec.command ?? []).length === 0 ? [requiredField(`${at}.exec.command`)] : []
  if (httpGet !== undefined) {
    const { port, scheme = '' } = httpGet
    return [
      ...portOrNameErrors(`${at}.httpGet.port`, port),
      ...unlessOneOf(`${at}.httpGet.scheme`, scheme, ['HTTP', 'HTTPS']),
    ]
  }
  if (tcpSocket !== undefined) return portOrNameErrors(`${at}.tcpSocket.port`, tcpSocket.port)
  return grpc === undefined ? [] : portNumberErrors(`${at}.grpc.port`, grpc.port)
}

/** Liveness and start-up succeed at once. */
function livenessErrors(at: string, probe: Probe | undefined): FieldError[] {
  if (probe === undefined) return []
  const { successThreshold = 1 } = probe
  return [
    ...probeErrors(at, probe),
    ...(successThreshold === 1 ? [] : invalidField(`${at}.successThreshold`, successThreshold, 'must be 1')),
  ]
}

function readinessErrors(at: string, probe: Probe | undefined): FieldError[] {
  if (probe === undefined) return []
  const grace = probe.terminationGracePeriodSeconds
  return [
    ...probeErrors(at, probe),
    ...(grace === undefined
      ? []
      : invalidField(`${at}.terminationGracePeriodSeconds`, grace, 'must not be set for readinessProbes')),
  ]
}

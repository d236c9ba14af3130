/** What a security review, and whoever has to keep an installation running, asks of the manifests. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Option } from 'commander'
import type { Container, LabelSelector, PodTemplateSpec, PolicyRule } from '#api/core/types.generated.ts'
import { recordingIo } from '#cli/io.testkit.ts'
import { commandLine } from '#cli/main.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { objectsIn } from './objects.ts'

const programs = ['manager', 'router'] as const
const all = objectsIn('user-roles', 'rbac', 'manager', 'router', 'network-policy', 'service-monitor', 'programs')
const narrow = objectsIn('namespaced')

interface Deployment extends AnyResource {
  readonly spec: { readonly replicas: number; readonly template: PodTemplateSpec }
}

function deploymentOf(program: string): { template: PodTemplateSpec; container: Container; replicas: number } {
  const found = all.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === `fairlead-${program}`)
  assert.ok(found)
  const { template, replicas } = (found as Deployment).spec
  const [container, ...others] = template.spec?.containers ?? []
  assert.ok(container)
  assert.equal(others.length, 0)
  return { template, container, replicas }
}

for (const program of programs) {
  const { template, container, replicas } = deploymentOf(program)
  const { spec: pod } = template
  const [command, ...args] = container.args ?? []

  test(`${program}: the command line knows its arguments`, () => {
    const known = commandLine(recordingIo()).commands.find((each) => each.name() === command)
    assert.ok(known, command)
    for (const arg of args) {
      const [name, value] = arg.split('=')
      const option: Option | undefined = known.options.find(({ long }) => long === name)
      assert.ok(option, `${command} ${arg}`)
      assert.equal(value !== undefined, option.required || option.optional, arg)
    }
  })

  test(`${program}: the restricted standard, a read-only root and no door left open`, () => {
    assert.deepEqual(container.securityContext, {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    })
    const { runAsNonRoot, runAsUser, seccompProfile } = pod?.securityContext ?? {}
    assert.deepEqual(
      { runAsNonRoot, seccompProfile },
      { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    )
    assert.ok((runAsUser ?? 0) > 0)
    for (const member of ['hostNetwork', 'hostPID', 'hostIPC', 'volumes', 'initContainers'] as const)
      assert.equal(pod?.[member], undefined, member)
    assert.ok(container.ports?.every(({ hostPort }) => hostPort === undefined))
    assert.ok(container.env?.every(({ valueFrom }) => valueFrom?.secretKeyRef === undefined))
  })

  test(`${program}: survives the loss of a node, and says what it needs`, () => {
    assert.ok(replicas >= 2)
    assert.ok(pod?.topologySpreadConstraints?.some(({ topologyKey }) => topologyKey === 'kubernetes.io/hostname'))
    const { requests, limits } = container.resources ?? {}
    assert.ok(requests?.['cpu'] && requests['memory'] && limits?.['memory'])
  })

  test(`${program}: its probes ask a port that it has`, () => {
    const ports = container.ports?.map(({ name }) => name)
    for (const [probe, path] of [
      [container.livenessProbe, '/healthz'],
      [container.readinessProbe, '/readyz'],
    ] as const) {
      assert.equal(probe?.httpGet?.path, path)
      assert.ok(ports?.includes(String(probe?.httpGet?.port)))
    }
  })
}

test('the router is not killed while it drains', () => {
  const { template, container } = deploymentOf('router')
  const drainSeconds = Number(container.args?.join(' ').match(/--drain-seconds=(\d+)/)?.[1])
  const pauseSeconds = container.lifecycle?.preStop?.sleep?.seconds ?? 0
  assert.ok(pauseSeconds > 0)
  assert.ok((template.spec?.terminationGracePeriodSeconds ?? 0) > drainSeconds + pauseSeconds)
})

test('what selects pods selects ours, and nobody else’s in a namespace that has others', () => {
  const ours = programs.map((program) => deploymentOf(program).template.metadata?.labels ?? {})
  const selectors = all.flatMap(({ kind, spec = {} }): [string, Record<string, string>][] => {
    const { podSelector, selector } = spec as { podSelector?: LabelSelector; selector?: LabelSelector }
    if (kind === 'NetworkPolicy') return [[kind, podSelector?.matchLabels ?? {}]]
    if (kind === 'Service') return [[kind, (selector ?? {}) as Record<string, string>]]
    return kind === 'Deployment' || kind === 'PodDisruptionBudget' ? [[kind, selector?.matchLabels ?? {}]] : []
  })
  assert.deepEqual([...new Set(selectors.map(([kind]) => kind))].sort(), [
    'Deployment',
    'NetworkPolicy',
    'PodDisruptionBudget',
    'Service',
  ])
  for (const [kind, labels] of selectors) {
    assert.ok(Object.keys(labels).length > 0, kind)
    const selected = ours.filter((own) => Object.entries(labels).every(([name, value]) => own[name] === value))
    assert.equal(selected.length, kind === 'NetworkPolicy' && Object.keys(labels).length === 1 ? 2 : 1, kind)
  }
})

test('a ServiceMonitor finds the Service of metrics, and only that', () => {
  const services = all.filter(({ kind }) => kind === 'Service')
  for (const { metadata, spec } of all.filter(({ kind }) => kind === 'ServiceMonitor')) {
    const { selector, endpoints } = spec as { selector: LabelSelector; endpoints: { port: string }[] }
    const found = services.filter(({ metadata: { labels } }) =>
      Object.entries(selector.matchLabels ?? {}).every(([name, value]) => labels?.[name] === value),
    )
    assert.deepEqual(
      found.map((service) => service.metadata.name),
      [`${metadata.name}-metrics`],
    )
    const { ports } = found[0]?.spec as { ports: { name: string }[] }
    assert.deepEqual(
      ports.map(({ name }) => name),
      endpoints.map(({ port }) => port),
    )
  }
})

test('the Service that clients use has no port of the metrics', () => {
  const { spec } = all.find(({ kind, metadata }) => kind === 'Service' && metadata.name === 'fairlead-router') ?? {}
  assert.deepEqual(
    (spec as { ports: { targetPort: string }[] }).ports.map(({ targetPort }) => targetPort),
    ['http'],
  )
})

test('the namespace enforces the restricted standard', () => {
  const { metadata } = all.find(({ kind }) => kind === 'Namespace') ?? {}
  assert.equal(metadata?.labels?.['pod-security.kubernetes.io/enforce'], 'restricted')
})

test('every binding has its role, and binds a ServiceAccount of ours', () => {
  for (const objects of [all, [...narrow, ...all.filter(({ kind }) => kind === 'ServiceAccount')]]) {
    const names = new Set(objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`))
    const bindings = objects.filter(({ kind }) => kind.endsWith('RoleBinding'))
    assert.ok(bindings.length >= 2)
    for (const { roleRef, subjects } of bindings as (AnyResource & { roleRef: Named; subjects: Named[] })[]) {
      assert.ok(names.has(`${roleRef.kind}/${roleRef.name}`))
      for (const { kind, name } of subjects) assert.ok(names.has(`${kind}/${name}`))
    }
  }
})

interface Named {
  readonly kind: string
  readonly name: string
}

/** Apart from the others: it looks at the images of all namespaces, with the credentials that are there. */
const catalogRole = 'fairlead-manager-aim-catalog'

test('no role has a wildcard, reads Secrets, or may raise its own rights', () => {
  const roles = [...all, ...narrow].filter(
    ({ kind, metadata }) => kind.endsWith('Role') && metadata.name !== catalogRole,
  )
  const rules = (roles as (AnyResource & { rules: PolicyRule[] })[]).flatMap((role) => role.rules)
  const words = rules.flatMap((rule) => Object.values(rule).flat() as string[])
  assert.ok(words.includes('modelservings'))
  for (const word of ['*', 'secrets', 'roles', 'clusterroles', 'escalate', 'bind', 'impersonate', 'pods/exec'])
    assert.ok(!words.includes(word), word)
})

test('the catalog may read Secrets and not write them, and gains no right by that', () => {
  const { rules } = all.find(
    ({ kind, metadata }) => kind === 'ClusterRole' && metadata.name === catalogRole,
  ) as AnyResource & {
    rules: PolicyRule[]
  }
  const verbs = rules.filter(({ resources }) => resources?.includes('secrets')).flatMap((rule) => rule.verbs)
  assert.deepEqual(verbs.toSorted(), ['get', 'list', 'watch'])
  const words = rules.flatMap((rule) => Object.values(rule).flat() as string[])
  for (const word of ['*', 'roles', 'clusterroles', 'escalate', 'bind', 'impersonate', 'pods/exec'])
    assert.ok(!words.includes(word), word)
})

test('one namespace only: the same rights, in Roles, and nothing that a cluster has once', () => {
  const rulesOf = (objects: readonly AnyResource[], suffix: RegExp) =>
    objects.filter(({ kind }) => suffix.test(kind)).map(({ metadata, rules }) => ({ name: metadata.name, rules }))
  const everywhere = rulesOf(objectsIn('rbac'), /^ClusterRole$/)
  assert.deepEqual(
    rulesOf(narrow, /^Role$/),
    everywhere.filter(({ name }) => name !== catalogRole),
  )
  assert.deepEqual([...new Set(narrow.map(({ kind }) => kind))].sort(), ['Role', 'RoleBinding'])
})

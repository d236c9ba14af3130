/** What the Deployments of both programs have in common: nothing that the restricted Pod Security Standard forbids. */
import { labelsOf, nameOf, type Program, selectorOf } from './names.ts'
import { firstSet, type Hole, namespace, text, type Tree, value, version, when } from './tree.ts'
import type { Values } from './values.ts'

export interface DeploymentFacts {
  readonly program: Program
  readonly args: readonly Tree[]
  /** An operator's own, where the value names any. */
  readonly files?: { readonly configMap: Hole; readonly folder: string }
  readonly ports: Readonly<Record<string, number>>
  /** Name of the port that answers `/healthz` and `/readyz`. */
  readonly probed: string
  readonly strategy: Tree
  readonly graceSeconds: number | Hole
  readonly lifecycle?: Tree
}

export function deployment(facts: DeploymentFacts): Tree {
  const { program, strategy } = facts
  const of = (pick: (program: Values[Program]) => unknown): Hole => value((values) => pick(values[program]))
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: nameOf(program), namespace, labels: labelsOf(program) },
    spec: {
      replicas: of((v) => v.replicas),
      strategy,
      selector: { matchLabels: selectorOf(program) },
      template: {
        metadata: { labels: labelsOf(program) },
        spec: {
          serviceAccountName: nameOf(program),
          automountServiceAccountToken: true,
          enableServiceLinks: false,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: imageUser,
            runAsGroup: imageUser,
            seccompProfile: { type: 'RuntimeDefault' },
          },
          terminationGracePeriodSeconds: facts.graceSeconds,
          topologySpreadConstraints: ['kubernetes.io/hostname', 'topology.kubernetes.io/zone'].map((topologyKey) => ({
            topologyKey,
            maxSkew: 1,
            whenUnsatisfiable: 'ScheduleAnyway',
            labelSelector: { matchLabels: selectorOf(program) },
          })),
          ...placement(of),
          imagePullSecrets: optional(value((v) => v.image.pullSecrets)),
          containers: [container(facts, of)],
          ...volumes(facts),
        },
      },
    },
  }
}

/** The number, for the kubelet to see that it is not root's; the Dockerfile names the same. */
const imageUser = 65_532

function volumes({ files }: DeploymentFacts): Record<string, Tree> {
  if (files === undefined) return {}
  const { configMap } = files
  return { volumes: when(configMap, [{ name: 'files', configMap: { name: configMap } }]) }
}

function container({ program, args, files, ports, probed, lifecycle }: DeploymentFacts, of: Of): Tree {
  const { repository, tag } = { repository: value((v) => v.image.repository), tag: value((v) => v.image.tag) }
  const probe = (path: string) => ({ httpGet: { path, port: probed } })
  return {
    name: program,
    image: text`${repository}:${firstSet(tag, version)}`,
    imagePullPolicy: value((v) => v.image.pullPolicy),
    args: [program, ...args],
    env: [{ name: 'POD_NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } }],
    ports: Object.entries(ports).map(([name, containerPort]) => ({ name, containerPort, protocol: 'TCP' })),
    livenessProbe: { ...probe('/healthz'), periodSeconds: 10, failureThreshold: 6 },
    readinessProbe: { ...probe('/readyz'), periodSeconds: 5 },
    resources: of((v) => v.resources),
    ...(files && {
      volumeMounts: when(files.configMap, [{ name: 'files', mountPath: files.folder, readOnly: true }]),
    }),
    ...(lifecycle === undefined ? {} : { lifecycle }),
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
  }
}

type Of = (pick: (program: Values[Program]) => unknown) => Hole

function placement(of: Of): Record<string, Tree> {
  return {
    nodeSelector: optional(of((v) => v.nodeSelector)),
    tolerations: optional(of((v) => v.tolerations)),
    affinity: optional(of((v) => v.affinity)),
    priorityClassName: optional(of((v) => v.priorityClassName)),
  }
}

const optional = (hole: Hole): Tree => when(hole, hole)

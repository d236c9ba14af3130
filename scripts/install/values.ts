/** What an operator may set in the chart; the plain manifests are what the defaults make. */
import { z } from 'zod'

/** Kubernetes checks what is in it; the chart hands it on. */
const handedOn = z.looseObject({})

const resourceNeeds = (needs: Record<string, Record<string, string>>) =>
  handedOn
    .default(needs)
    .describe('Requests and limits. Without a CPU limit: a throttled program misses its deadlines.')

const replicas = z.int().min(0).default(2).describe('Pods of this program.')

/** Where the pods of a program may run. */
const placement = {
  nodeSelector: handedOn.default({}).describe('Labels that the node must have.'),
  tolerations: z.array(handedOn).default([]).describe('Taints of nodes that do not matter.'),
  affinity: handedOn.default({}).describe('Further rules; pods are spread over nodes without any.'),
  priorityClassName: z
    .string()
    .default('')
    .describe('An existing PriorityClass; empty takes the default of the cluster.'),
}

const Image = z.strictObject({
  repository: z
    .string()
    .min(1)
    .default('fairlead')
    .describe('Registry and name. None is published: build it and push it to yours.'),
  tag: z.string().default('').describe("Empty takes the chart's appVersion; 0.1.0@sha256:… pins the content."),
  pullPolicy: z
    .enum(['Always', 'IfNotPresent', 'Never'])
    .default('IfNotPresent')
    .describe('When nodes pull the image.'),
  pullSecrets: z.array(handedOn).default([]).describe('Secrets for the registry, such as {name: registry}.'),
})

const Manager = z.strictObject({
  replicas: replicas.describe('One leads and works; the others wait to take over.'),
  controllers: z
    .array(z.string().min(1))
    .min(1)
    .default(['*'])
    .describe('Which to run: "*" for all, or names of some.'),
  registriesConfigMap: z
    .string()
    .default('')
    .describe('An existing ConfigMap with registries.yaml, and the certificates that it names; empty for none.'),
  resources: resourceNeeds({ requests: { cpu: '100m', memory: '256Mi' }, limits: { memory: '1Gi' } }),
  ...placement,
})

const Router = z.strictObject({
  replicas: replicas.describe('All of them serve.'),
  drainSeconds: z.int().min(0).default(300).describe('How long running answers may go on when a pod is to stop.'),
  service: z
    .strictObject({
      type: z.enum(['ClusterIP', 'NodePort', 'LoadBalancer']).default('ClusterIP').describe('How clients reach it.'),
      port: z.int().min(1).max(65_535).default(80).describe('Port of the Service.'),
      annotations: handedOn.default({}).describe('For the controller that provides the load balancer.'),
    })
    .prefault({}),
  resources: resourceNeeds({ requests: { cpu: '250m', memory: '256Mi' }, limits: { memory: '1Gi' } }),
  ...placement,
})

const NetworkPolicies = z.strictObject({
  enabled: z.boolean().default(true).describe('Close everything but what is needed.'),
  apiServerPorts: z
    .array(handedOn)
    .default([443, 6443].map((port) => ({ protocol: 'TCP', port })))
    .describe("Ports of the cluster's API server, before and after the address of its Service is translated."),
  metricsFrom: z
    .array(handedOn)
    .default([{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } }])
    .describe('Who may read metrics; an empty list means everybody.'),
  clientsFrom: z.array(handedOn).default([]).describe('Who may ask the router; an empty list means everybody.'),
})

export const Values = z.strictObject({
  image: Image.prefault({}).describe('One image has both programs.'),
  namespaces: z
    .array(z.string().regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/))
    .default([])
    .describe('Watch these namespaces only, with Roles in each and no ClusterRole. Empty watches all.'),
  logLevel: z.enum(['debug', 'info', 'warn', 'error']).default('info').describe('Of both programs.'),
  matrixinfer: z
    .boolean()
    .default(false)
    .describe('Serve MatrixInfer’s kinds too. Their definitions are a chart of their own.'),
  manager: Manager.prefault({}).describe('Runs the controllers.'),
  router: Router.prefault({}).describe('Answers OpenAI requests.'),
  networkPolicy: NetworkPolicies.prefault({}),
  podDisruptionBudget: z
    .strictObject({ enabled: z.boolean().default(true).describe('Let a drained node take one pod of each at a time.') })
    .prefault({}),
  serviceMonitor: z
    .strictObject({
      enabled: z.boolean().default(false).describe("Needs the Prometheus Operator's kinds in the cluster."),
      interval: z.string().default('30s').describe('Time between two scrapes.'),
      labels: handedOn.default({}).describe('By which your Prometheus finds it.'),
    })
    .prefault({}),
  global: handedOn.optional().describe('Set by Helm where this chart is part of another; not used.'),
})
export type Values = z.output<typeof Values>

export const defaultValues: Values = Values.parse({})

/** What each program has in the same form. */
import { labelsOf, nameOf, type Program, selectorOf } from './names.ts'
import { more, namespace, type Tree, value, when } from './tree.ts'

/** Documents by the name of their file. */
export type Parts = Readonly<Record<string, readonly Tree[]>>

export const metricsServiceName = (program: Program): string => `${nameOf(program)}-metrics`

/** Its name stands for the address of every pod, ready or not: one that drains has requests under way to tell of. */
export function metricsService(program: Program, port: number): Tree {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: metricsServiceName(program), namespace, labels: { ...labelsOf(program), ...metricsLabel } },
    spec: {
      clusterIP: 'None',
      publishNotReadyAddresses: true,
      selector: selectorOf(program),
      ports: [{ name: 'metrics', port, targetPort: 'metrics', protocol: 'TCP' }],
    },
  }
}

/** Tells the Services of metrics from the others. */
const metricsLabel = { 'fairlead.dev/metrics': 'true' }

/** Says nothing where there is one replica, so that a node can still be drained. */
export function disruptionBudget(program: Program): Tree {
  return when(
    value((v) => v.podDisruptionBudget.enabled),
    {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: nameOf(program), namespace, labels: labelsOf(program) },
      spec: {
        maxUnavailable: 1,
        unhealthyPodEvictionPolicy: 'AlwaysAllow', // a pod that does not serve is no loss
        selector: { matchLabels: selectorOf(program) },
      },
    },
  )
}

/** For the Prometheus Operator. */
export function serviceMonitor(program: Program): Tree {
  return when(
    value((v) => v.serviceMonitor.enabled),
    {
      apiVersion: 'monitoring.coreos.com/v1',
      kind: 'ServiceMonitor',
      metadata: {
        name: nameOf(program),
        namespace,
        labels: { ...labelsOf(program), [more]: value((v) => v.serviceMonitor.labels) },
      },
      spec: {
        selector: { matchLabels: { ...selectorOf(program), ...metricsLabel } },
        endpoints: [{ port: 'metrics', interval: value((v) => v.serviceMonitor.interval) }],
      },
    },
  )
}

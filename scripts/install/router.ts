/** The Deployment that answers OpenAI requests, and what goes with it. */
import { deployment } from './deployment.ts'
import { labelsOf, nameOf, selectorOf } from './names.ts'
import { disruptionBudget, metricsService, type Parts } from './parts.ts'
import { serviceAccount } from './rbac.ts'
import { joined, namespace, plus, text, type Tree, value, when } from './tree.ts'

export const routerPorts = { http: 8080, metrics: 9090 }

/**
 * From the moment a pod is to stop, clients still find it until all proxies of the cluster have heard: it goes on as
 * before for so long, and only then begins to drain.
 */
const leaveSeconds = 10
/** What stopping takes beside waiting. */
const marginSeconds = 10

const namespaces = value((v) => v.namespaces)
const drainSeconds = value((v) => v.router.drainSeconds)
const annotations = value((v) => v.router.service.annotations)

export const router: Parts = {
  'service-account': [serviceAccount('router')],
  deployment: [
    deployment({
      program: 'router',
      args: [
        '--bind-address=0.0.0.0',
        `--port=${routerPorts.http}`,
        `--metrics-port=${routerPorts.metrics}`,
        text`--drain-seconds=${drainSeconds}`,
        when(namespaces, text`--namespaces=${joined(namespaces)}`),
        when(
          value((v) => v.matrixinfer),
          '--matrixinfer',
        ),
        text`--log-level=${value((v) => v.logLevel)}`,
        '--json',
      ],
      ports: routerPorts,
      probed: 'metrics', // that listener answers to the end, also while the other one drains
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      // The kubelet's own pause (Kubernetes 1.30): the image has no shell to sleep in.
      lifecycle: { preStop: { sleep: { seconds: leaveSeconds } } },
      graceSeconds: plus(drainSeconds, leaveSeconds + marginSeconds),
    }),
  ],
  service: [service()],
  'metrics-service': [metricsService('router', routerPorts.metrics)],
  'pod-disruption-budget': [disruptionBudget('router')],
}

/** Without the port of the metrics, so that what is made public of it is the API alone. */
function service(): Tree {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: nameOf('router'),
      namespace,
      labels: labelsOf('router'),
      annotations: when(annotations, annotations),
    },
    spec: {
      type: value((v) => v.router.service.type),
      selector: selectorOf('router'),
      ports: [{ name: 'http', port: value((v) => v.router.service.port), targetPort: 'http', protocol: 'TCP' }],
    },
  }
}

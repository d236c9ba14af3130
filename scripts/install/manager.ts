/** The Deployment that runs the controllers, and what goes with it. */
import { deployment } from './deployment.ts'
import { homeRoles, serviceAccount } from './rbac.ts'
import { disruptionBudget, metricsService, metricsServiceName, type Parts } from './parts.ts'
import { routerPorts } from './router.ts'
import { joined, not, text, value, when } from './tree.ts'

export const managerPorts = { metrics: 8080, health: 8081 }

const namespaces = value((v) => v.namespaces)
const registries = value((v) => v.manager.registriesConfigMap)
const registriesFolder = '/etc/fairlead/registries'
const matrixinfer = value((v) => v.matrixinfer)
const controllers = joined(value((v) => v.manager.controllers))

export const manager: Parts = {
  'service-account': [serviceAccount('manager')],
  'home-role': homeRoles(),
  deployment: [
    deployment({
      program: 'manager',
      args: [
        when(not(matrixinfer), text`--controllers=${controllers}`),
        when(matrixinfer, text`--controllers=${controllers},matrixinfer`),
        when(namespaces, text`--namespaces=${joined(namespaces)}`),
        when(registries, `--registries=${registriesFolder}/registries.yaml`),
        '--leader-elect=true',
        '--leader-elect-resource-namespace=$(POD_NAMESPACE)',
        `--metrics-bind-address=:${managerPorts.metrics}`,
        `--health-probe-bind-address=:${managerPorts.health}`,
        `--router-urls=http://${metricsServiceName('router')}.$(POD_NAMESPACE):${routerPorts.metrics}`,
        text`--log-level=${value((v) => v.logLevel)}`,
      ],
      files: { configMap: registries, folder: registriesFolder },
      ports: managerPorts,
      probed: 'health',
      // A new pod waits for the Lease as the old ones do, so nothing is gained by starting it first.
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } },
      graceSeconds: 30,
    }),
  ],
  'metrics-service': [metricsService('manager', managerPorts.metrics)],
  'pod-disruption-budget': [disruptionBudget('manager')],
}

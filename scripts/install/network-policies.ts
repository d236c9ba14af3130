/**
 * Who may talk to our pods, and to whom they may. The first policy closes everything; each other opens one thing. They
 * select our pods alone, for the namespace may hold others. What pods of models accept is their namespace's matter.
 * The kubelet's probes come from the pod's own node, which network policies let through.
 */
import { managerPorts } from './manager.ts'
import { commonLabels, ownPods, selectorOf } from './names.ts'
import type { Parts } from './parts.ts'
import { routerPorts } from './router.ts'
import { type Hole, namespace, type Tree, value, when } from './tree.ts'

/** NodeLocal DNSCache answers from here, outside of all pods. */
const nodeLocalDns = '169.254.20.10/32'

const anyPod: Tree = { namespaceSelector: {} }

const port = (number: number, protocol = 'TCP'): Tree => ({ protocol, port: number })

const closed = policy('fairlead', ownPods, { policyTypes: ['Ingress', 'Egress'] })

const apiServer = policy('fairlead-api-server', ownPods, {
  policyTypes: ['Egress'],
  egress: [
    { ports: value((v) => v.networkPolicy.apiServerPorts) },
    // Some clusters give pods the API server's address as a name.
    { to: [anyPod, { ipBlock: { cidr: nodeLocalDns } }], ports: [port(53, 'UDP'), port(53)] },
  ],
})

const metrics = policy('fairlead-metrics', ownPods, {
  policyTypes: ['Ingress'],
  ingress: [
    {
      ports: [managerPorts, routerPorts].map(({ metrics }) => port(metrics)),
      from: peers(value((v) => v.networkPolicy.metricsFrom)),
    },
    { ports: [port(routerPorts.metrics)], from: [{ podSelector: { matchLabels: selectorOf('manager') } }] },
  ],
})

const clients = policy('fairlead-router-clients', selectorOf('router'), {
  policyTypes: ['Ingress'],
  ingress: [{ ports: [port(routerPorts.http)], from: peers(value((v) => v.networkPolicy.clientsFrom)) }],
})

/** Engines listen where their ModelServer says; the manager asks the routers, and the engines for their load. */
const pods = policy('fairlead-pods', ownPods, {
  policyTypes: ['Egress'],
  egress: [{ to: [anyPod] }],
})

const enabled = value((v) => v.networkPolicy.enabled)

export const networkPolicies: Parts = Object.fromEntries(
  Object.entries({
    closed,
    'api-server': apiServer,
    metrics,
    'router-clients': clients,
    pods,
  }).map(([file, document]) => [file, [when(enabled, document)]]),
)

function policy(name: string, matchLabels: Tree, rules: Readonly<Record<string, Tree>>): Tree {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name, namespace, labels: commonLabels },
    spec: { podSelector: { matchLabels }, ...rules },
  }
}

/** None means everybody, which the API says by leaving the member out. */
function peers(hole: Hole): Tree {
  return when(hole, hole)
}

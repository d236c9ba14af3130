import { type Calls, merge } from './call.ts'

const services = '/api/v1/namespaces/<ns>/services'
const create = (spec: object, name = 'x') => ({ ask: `POST ${services}`, body: { metadata: { name }, spec } })
const patch = (name: string, spec: object) => ({ ask: `PATCH ${services}/${name}`, type: merge, body: { spec } })
const port = { port: 80 }

/** Services: defaults, addresses, rules, and what may change. */
export const serviceCalls: Calls = {
  'the smallest service': create({ ports: [port] }, 'small'),
  'a service without an address': create({ clusterIP: 'None', selector: { app: 'a' }, ports: [port] }, 'headless'),
  'a service without an address needs no ports': create({ clusterIP: 'None' }, 'portless'),
  'a service with a node port': create({ type: 'NodePort', ports: [port] }, 'node-port'),
  'a service with a load balancer': create(
    {
      type: 'LoadBalancer',
      ports: [
        { name: 'a', ...port },
        { name: 'b', port: 443, targetPort: 'https' },
      ],
    },
    'balanced',
  ),
  'a service of another name': create({ type: 'ExternalName', externalName: 'example.com' }, 'external'),
  'a service with affinity': create({ ports: [port], sessionAffinity: 'ClientIP' }, 'affine'),
  'a service of several protocols': create(
    {
      ports: [
        { name: 'tcp', port: 53 },
        { name: 'udp', port: 53, protocol: 'UDP' },
      ],
    },
    'dns',
  ),
  'a dry run takes no address': {
    ask: `POST ${services}?dryRun=All`,
    body: { metadata: { name: 'dry' }, spec: { ports: [port] } },
    pick: [
      ['spec', 'type'],
      ['metadata', 'name'],
    ],
  },

  'a service needs a spec': { ask: `POST ${services}`, body: { metadata: { name: 'x' } } },
  'a service needs ports': create({ selector: { app: 'a' } }),
  'a port of a service is a number': create({ ports: [{ port: 0 }] }),
  'ports of a service have names': create({ ports: [port, { port: 81 }] }),
  'names of ports of a service differ': create({
    ports: [
      { name: 'a', port: 80 },
      { name: 'a', port: 81 },
    ],
  }),
  'numbers of ports of a service differ': create({
    ports: [
      { name: 'a', port: 80 },
      { name: 'b', port: 80 },
    ],
  }),
  'the name of a port of a service is a label': create({ ports: [{ name: 'A_1', port: 80 }] }),
  'a protocol of a service is one of three': create({ ports: [{ port: 80, protocol: 'HTTP' }] }),
  'a target port is a number': create({ ports: [{ port: 80, targetPort: 70_000 }] }),
  'a target port is a name': create({ ports: [{ port: 80, targetPort: 'not a name' }] }),
  'a type of a service is one of four': create({ type: 'Cloud', ports: [port] }),
  'a selector of a service has labels': create({ selector: { 'not a key': 'x' }, ports: [port] }),
  'an affinity is one of two': create({ sessionAffinity: 'Maybe', ports: [port] }),
  'an external name is a name': create({ type: 'ExternalName', externalName: 'not a name' }),
  'an external name is there': create({ type: 'ExternalName' }),
  'an address is an address': create({ clusterIP: 'here', ports: [port] }),
  'no address with a load balancer': create({ type: 'LoadBalancer', clusterIP: 'None', ports: [port] }),
  'no node port without a type for it': create({ ports: [{ port: 80, nodePort: 30_001 }] }),
  'an external address is an address': create({ ports: [port], externalIPs: ['here'] }),
  'a traffic policy is one of two': create({ ports: [port], internalTrafficPolicy: 'Some' }),

  'an address stays': patch('small', { clusterIP: '10.0.0.99' }),
  'an address is not taken away': patch('small', { clusterIP: 'None' }),
  'a service is replaced without its address': {
    ask: `PUT ${services}/small`,
    body: { metadata: { name: 'small' }, spec: { ports: [{ port: 81 }] } },
  },
  'ports of a service may change': patch('small', { ports: [{ port: 82, targetPort: 'http' }] }),
  'a service becomes one with a node port': patch('small', { type: 'NodePort' }),
  'a service is no longer one with a node port': patch('small', {
    type: 'ClusterIP',
    ports: [{ port: 82, targetPort: 'http', nodePort: null }],
  }),
  'a service becomes another name': patch('small', {
    type: 'ExternalName',
    externalName: 'example.com',
    clusterIP: null,
    clusterIPs: null,
    ipFamilies: null,
    ipFamilyPolicy: null,
  }),
  'a service becomes one with an address': patch('external', { type: 'ClusterIP', externalName: null, ports: [port] }),
  'a status of a service': {
    ask: `PATCH ${services}/balanced/status`,
    type: merge,
    body: { status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } } },
  },
  'an address of a load balancer is an address': {
    ask: `PATCH ${services}/balanced/status`,
    type: merge,
    body: { status: { loadBalancer: { ingress: [{ ip: 'here' }] } } },
  },
  'services by their type': {
    ask: `GET ${services}?fieldSelector=spec.type%3DLoadBalancer`,
    pick: [
      ['items', 'metadata.name=balanced', 'spec', 'type'],
      ['items', 'metadata.name=headless'],
    ],
  },
  'a service that goes is shown': { ask: `DELETE ${services}/headless` },
}

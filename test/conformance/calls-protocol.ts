import type { Calls } from './call.ts'

const configMaps = '/api/v1/namespaces/<ns>/configmaps'
const review = (path: string, body: object) => ({ ask: `POST /apis/${path}`, body })

/** Paths, methods and bodies that make no sense, and questions to the server. */
export const protocolCalls: Calls = {
  'a path that is none': { ask: 'GET /nothing' },
  'a group that is none': { ask: 'GET /apis/none.example.com' },
  'a version that is none': { ask: 'GET /apis/batch/v9' },
  'a resource of a group that is none': { ask: 'GET /apis/none.example.com/v1/things' },
  'a resource of a version that is none': { ask: 'GET /api/v9/pods' },
  'a resource that is none': { ask: 'GET /api/v1/namespaces/<ns>/nothings' },
  'a resource for the cluster in a namespace': { ask: 'GET /api/v1/namespaces/<ns>/nodes' },
  'a resource of a namespace without one': { ask: 'GET /api/v1/configmaps/a' },
  'a subresource that is none': { ask: `GET ${configMaps}/a/nothing` },
  'a status of what has none': { ask: `GET ${configMaps}/a/status` },
  'a scale of what has none': { ask: `GET ${configMaps}/a/scale` },
  'a path that goes on after a subresource': { ask: 'GET /api/v1/namespaces/<ns>/pods/a/status/more' },
  'a path that ends with a slash': { ask: `GET ${configMaps}/` },
  'a collection is not posted as a deletion': { ask: `POST ${configMaps}/a/b/c`, body: {} },
  'a version is not deleted': { ask: 'DELETE /version' },
  'a discovery may be posted': { ask: 'POST /apis', body: {}, pick: [['kind']] },
  'a body that is cut short': { ask: `POST ${configMaps}`, body: '{"metadata":' },
  'a body that is no JSON': { ask: `POST ${configMaps}`, body: 'hello' },
  'a body that is a list': { ask: `POST ${configMaps}`, body: [] },
  'a body that is a text': { ask: `POST ${configMaps}`, body: '"x"' },
  'a body that is null': { ask: `POST ${configMaps}`, body: 'null' },
  'a body that goes on after its end': { ask: `POST ${configMaps}`, body: '{"metadata":{"name":"x"}} more' },
  'no body': { ask: `POST ${configMaps}` },
  'an empty body': { ask: `POST ${configMaps}`, body: '' },
  'no body for a replacement': { ask: `PUT ${configMaps}/a` },
  'no body for a patch': { ask: `PATCH ${configMaps}/a`, type: 'application/merge-patch+json', body: '' },
  'a body that is too large': {
    ask: `POST ${configMaps}`,
    body: { metadata: { name: 'x' }, data: { a: 'x'.repeat(3 * 1024 * 1024) } },
  },
  'a body that is too deep': { ask: `POST ${configMaps}`, body: '['.repeat(20_000) },
  'a kind that is a number': {
    ask: `POST ${configMaps}`,
    body: { apiVersion: 'v1', kind: 1, metadata: { name: 'x' } },
  },
  'an apiVersion with too many slashes': {
    ask: `POST ${configMaps}`,
    body: { apiVersion: 'a/b/c', kind: 'ConfigMap', metadata: { name: 'x' } },
  },
  'the server is healthy': { ask: 'GET /healthz' },
  'the server lives': { ask: 'GET /livez' },
  'the server is ready': { ask: 'GET /readyz' },

  'may I create pods': {
    ...review('authorization.k8s.io/v1/selfsubjectaccessreviews', {
      spec: { resourceAttributes: { namespace: '<ns>', verb: 'create', resource: 'pods' } },
    }),
    pick: [['kind'], ['spec'], ['status', 'allowed']],
  },
  'may I ask a path': {
    ...review('authorization.k8s.io/v1/selfsubjectaccessreviews', {
      spec: { nonResourceAttributes: { verb: 'get', path: '/x' } },
    }),
    pick: [['spec'], ['status', 'allowed']],
  },
  'may I what': review('authorization.k8s.io/v1/selfsubjectaccessreviews', { spec: {} }),
  'may I both': review('authorization.k8s.io/v1/selfsubjectaccessreviews', {
    spec: { resourceAttributes: { verb: 'get' }, nonResourceAttributes: { verb: 'get', path: '/x' } },
  }),
  'may a stranger create pods': {
    ...review('authorization.k8s.io/v1/subjectaccessreviews', {
      spec: {
        user: 'system:anonymous',
        groups: ['system:unauthenticated'],
        resourceAttributes: { namespace: '<ns>', verb: 'create', resource: 'pods' },
      },
    }),
    pick: [['kind'], ['spec'], ['status', 'allowed']],
  },
  'may nobody create pods': review('authorization.k8s.io/v1/subjectaccessreviews', {
    spec: { resourceAttributes: { verb: 'create', resource: 'pods' } },
  }),
  'what may I do': {
    ...review('authorization.k8s.io/v1/selfsubjectrulesreviews', { spec: { namespace: '<ns>' } }),
    pick: [['kind'], ['spec'], ['status', 'incomplete']],
  },
  'what may I do nowhere': review('authorization.k8s.io/v1/selfsubjectrulesreviews', { spec: {} }),
  'a question is not read': { ask: 'GET /apis/authorization.k8s.io/v1/selfsubjectaccessreviews' },
  'who am I': {
    ...review('authentication.k8s.io/v1/selfsubjectreviews', {}),
    pick: [['kind'], ['status', 'userInfo', 'username'], ['status', 'userInfo', 'groups']],
  },
  'whose is a token that is unknown': {
    ...review('authentication.k8s.io/v1/tokenreviews', { spec: { token: 'nobody' } }),
    pick: [['kind'], ['spec'], ['status', 'authenticated'], ['status', 'user']],
  },
  'whose is no token': review('authentication.k8s.io/v1/tokenreviews', { spec: {} }),
}

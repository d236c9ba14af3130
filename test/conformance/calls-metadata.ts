import type { Calls } from './call.ts'

const configMaps = '/api/v1/namespaces/<ns>/configmaps'
const create = (metadata: object) => ({ ask: `POST ${configMaps}`, body: { metadata: { name: 'x', ...metadata } } })

/** Rules for labels, annotations and names. */
export const metadataCalls: Calls = {
  'a label has a key': create({ labels: { '': 'x' } }),
  'the key of a label has a name': create({ labels: { 'example.com/': 'x' } }),
  'the key of a label has a prefix before a slash': create({ labels: { '/name': 'x' } }),
  'the prefix of a label is a domain': create({ labels: { 'Example_com/name': 'x' } }),
  'the key of a label has one slash': create({ labels: { 'a/b/c': 'x' } }),
  'the name of a label has no blanks': create({ labels: { 'not a name': 'x' } }),
  'the name of a label has at most 63 characters': create({ labels: { ['l'.repeat(64)]: 'x' } }),
  'the prefix of a label has at most 253 characters': create({ labels: { [`${'l'.repeat(254)}/a`]: 'x' } }),
  'a label has no blanks': create({ labels: { a: 'not a value' } }),
  'a label has at most 63 characters': create({ labels: { a: 'v'.repeat(64) } }),
  'a label begins with a letter or a digit': create({ labels: { a: '-x' } }),
  'several labels are told together': create({ labels: { 'a b': 'c d' } }),
  'a label may be empty': { ask: `POST ${configMaps}`, body: { metadata: { name: 'empty-label', labels: { a: '' } } } },
  'an annotation has a key': create({ annotations: { 'not a key': 'x' } }),
  'the key of an annotation may have capitals': {
    ask: `POST ${configMaps}`,
    body: { metadata: { name: 'capitals', annotations: { 'Example.com/Name': 'any text\nat all' } } },
  },
  'annotations have a limit': create({ annotations: { a: 'x'.repeat(262_145) } }),
  'names, labels and annotations are told together': create({
    name: 'X',
    labels: { 'a b': 'x' },
    annotations: { 'c d': 'x' },
  }),
  'a name may have dots': { ask: `POST ${configMaps}`, body: { metadata: { name: 'a.b-c.9' } } },
  'a name does not end with a dot': create({ name: 'a.' }),
  'a name has no empty parts': create({ name: 'a..b' }),
  'a name does not begin with a hyphen': create({ name: '-a' }),
  'a name is not reserved for paths': create({ name: '..' }),
  'the name of a pod': {
    ask: 'POST /api/v1/namespaces/<ns>/pods',
    body: { metadata: { name: 'A' }, spec: { containers: [{ name: 'c', image: 'i' }] } },
  },
  'the name of a service is a label': {
    ask: 'POST /api/v1/namespaces/<ns>/services',
    body: { metadata: { name: 'a.b' }, spec: { ports: [{ port: 80 }] } },
  },
  'the name of a service may begin with a digit': {
    ask: 'POST /api/v1/namespaces/<ns>/services',
    body: { metadata: { name: '1a' }, spec: { ports: [{ port: 80 }] } },
  },
  'the name of a service has at most 63 characters': {
    ask: 'POST /api/v1/namespaces/<ns>/services',
    body: { metadata: { name: 's'.repeat(64) }, spec: { ports: [{ port: 80 }] } },
  },
  'the name of a namespace is a label': { ask: 'POST /api/v1/namespaces', body: { metadata: { name: 'a.b' } } },
  'the name of a role may hold colons': {
    ask: 'POST /apis/rbac.authorization.k8s.io/v1/namespaces/<ns>/roles',
    body: { metadata: { name: 'system:Some_Role' }, rules: [] },
  },
  'the name of a role may hold no slash': {
    ask: 'POST /apis/rbac.authorization.k8s.io/v1/namespaces/<ns>/roles',
    body: { metadata: { name: 'a/b' }, rules: [] },
  },
}

import { type Calls, merge } from './call.ts'

const configMaps = '/api/v1/namespaces/<ns>/configmaps'
const secrets = '/api/v1/namespaces/<ns>/secrets'
const configMap = (members: object, name = 'x') => ({
  ask: `POST ${configMaps}`,
  body: { metadata: { name }, ...members },
})
const secret = (members: object, name = 'x') => ({ ask: `POST ${secrets}`, body: { metadata: { name }, ...members } })
const base64 = (text: string): string => Buffer.from(text).toString('base64')

/** ConfigMaps and Secrets: their rules, and what makes them immutable. */
export const configCalls: Calls = {
  'a config map of texts and bytes': configMap(
    { data: { 'a.b-c_D': '' }, binaryData: { b: base64('\u0000') } },
    'both',
  ),
  'a key of a config map': configMap({ data: { 'no/key': 'x' } }),
  'a key of a config map is no dot': configMap({ data: { '.': 'x' } }),
  'a key of a config map begins with no two dots': configMap({ data: { '..x': 'x' } }),
  'a key of a config map has at most 253 characters': configMap({ data: { ['k'.repeat(254)]: 'x' } }),
  'a key of a config map is a text or bytes': configMap({ data: { a: 'x' }, binaryData: { a: base64('x') } }),
  'bytes of a config map are base64': configMap({ binaryData: { a: 'not base64!' } }),
  'a config map has at most a megabyte': configMap({ data: { a: 'x'.repeat(1024 * 1024 + 1) } }),
  'a config map that stays': configMap({ immutable: true, data: { a: '1' } }, 'fixed'),
  'data of what stays may not change': { ask: `PATCH ${configMaps}/fixed`, type: merge, body: { data: { a: '2' } } },
  'bytes of what stays may not change': {
    ask: `PATCH ${configMaps}/fixed`,
    type: merge,
    body: { binaryData: { b: base64('x') } },
  },
  'what stays stays so': { ask: `PATCH ${configMaps}/fixed`, type: merge, body: { immutable: false } },
  'what stays is not replaced by what leaves it out': {
    ask: `PUT ${configMaps}/fixed`,
    body: { metadata: { name: 'fixed' }, data: { a: '2' } },
  },
  'labels of what stays may change': {
    ask: `PATCH ${configMaps}/fixed`,
    type: merge,
    body: { metadata: { labels: { a: '1' } } },
  },
  'a config map comes to stay': { ask: `PATCH ${configMaps}/both`, type: merge, body: { immutable: true } },

  'the smallest secret': secret({}, 'small'),
  'texts of a secret become bytes': secret(
    { data: { a: base64('1'), b: base64('2') }, stringData: { b: 'two', c: 'three' } },
    'texts',
  ),
  'texts of a secret become bytes in a patch': {
    ask: `PATCH ${secrets}/texts`,
    type: merge,
    body: { stringData: { d: 'four' } },
  },
  'a key of a secret': secret({ data: { 'no/key': base64('x') } }),
  'a secret has at most a megabyte': secret({ data: { a: Buffer.alloc(1024 * 1024 + 1).toString('base64') } }),
  'the type of a secret stays': { ask: `PATCH ${secrets}/small`, type: merge, body: { type: 'example.com/other' } },
  'a secret of a type of its own': secret({ type: 'example.com/own', stringData: { a: '1' } }, 'own'),
  'a login for registries': secret(
    { type: 'kubernetes.io/dockerconfigjson', stringData: { '.dockerconfigjson': '{"auths":{}}' } },
    'login',
  ),
  'a login for registries is there': secret({ type: 'kubernetes.io/dockerconfigjson' }),
  'a login for registries is JSON': secret({
    type: 'kubernetes.io/dockerconfigjson',
    stringData: { '.dockerconfigjson': 'x' },
  }),
  'a login for registries of the old form': secret({
    type: 'kubernetes.io/dockercfg',
    stringData: { '.dockercfg': 'x' },
  }),
  'a name and a password': secret({ type: 'kubernetes.io/basic-auth', stringData: {} }),
  'a password alone': secret({ type: 'kubernetes.io/basic-auth', stringData: { password: 'p' } }, 'password'),
  'a key for SSH': secret({ type: 'kubernetes.io/ssh-auth' }),
  'a certificate and its key': secret({ type: 'kubernetes.io/tls', stringData: { 'tls.crt': 'x' } }),
  'a certificate and its key, whatever they are': secret(
    { type: 'kubernetes.io/tls', stringData: { 'tls.crt': '', 'tls.key': '' } },
    'tls',
  ),
  'a token of a service account names it': secret({ type: 'kubernetes.io/service-account-token' }),
  'secrets by their type': {
    ask: `GET ${secrets}?fieldSelector=type%3Dkubernetes.io%2Ftls`,
    pick: [
      ['items', 'metadata.name=tls', 'type'],
      ['items', 'metadata.name=small'],
    ],
  },
  'a secret that stays': secret({ immutable: true, stringData: { a: '1' } }, 'fixed'),
  'data of a secret that stays may not change': {
    ask: `PATCH ${secrets}/fixed`,
    type: merge,
    body: { stringData: { a: '2' } },
  },
}

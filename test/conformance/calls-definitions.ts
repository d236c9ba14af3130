import { type Calls, jsonPatch, merge } from './call.ts'
import { definition, group } from './widget.ts'

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
const version = (schema: object | undefined, members: object = {}) => ({
  name: 'v1',
  served: true,
  storage: true,
  ...(schema === undefined ? {} : { schema: { openAPIV3Schema: schema } }),
  ...members,
})
const define = (members: object, plural = 'things', kind = 'Thing') => ({
  ask: `POST ${definitions}`,
  body: definition(plural, kind, { versions: [version(anything)], ...members }),
})
const schema = (spec: object) => define({ versions: [version({ type: 'object', properties: { spec } })] })
const text = { type: 'string' }

/** CustomResourceDefinitions: what they must be, what may change, and their end. */
export const definitionCalls: Calls = {
  'the smallest definition': {
    ask: `POST ${definitions}`,
    body: {
      metadata: { name: `smalls.${group}` },
      spec: { group, scope: 'Namespaced', names: { plural: 'smalls', kind: 'Small' }, versions: [version(anything)] },
    },
    pick: [['spec'], ['metadata', 'name'], ['metadata', 'generation'], ['status']],
  },
  'a definition is accepted': { ask: `GET ${definitions}/smalls.${group}`, until: 'InitialNamesAccepted' },
  'a definition is named after what it defines': {
    ask: `POST ${definitions}`,
    body: { ...definition('things', 'Thing'), metadata: { name: 'things.example.com' } },
  },
  'a definition has a spec': { ask: `POST ${definitions}`, body: { metadata: { name: `things.${group}` } } },
  'a definition has a group': {
    ask: `POST ${definitions}`,
    body: { metadata: { name: 'things.' }, spec: { ...definition('things', 'Thing').spec, group: '' } },
  },
  'a group has dots': {
    ask: `POST ${definitions}`,
    body: {
      metadata: { name: 'things.nodots' },
      spec: { ...definition('things', 'Thing', { versions: [version(anything)] }).spec, group: 'nodots' },
    },
  },
  'a scope is one of two': define({ scope: 'Galaxy' }),
  'a definition has versions': define({ versions: [] }),
  'one version is stored': define({ versions: [version(anything), version(anything, { name: 'v2' })] }),
  'no version is stored': define({ versions: [version(anything, { storage: false })] }),
  'versions have different names': define({ versions: [version(anything), version(anything, { storage: false })] }),
  'a version has a schema': define({ versions: [version(undefined)] }),
  'a name of a version is a label': define({ versions: [version(anything, { name: 'V_1' })] }),
  'a plural is a label': {
    ask: `POST ${definitions}`,
    body: {
      metadata: { name: `Things.${group}` },
      spec: { ...definition('Things', 'Thing', { versions: [version(anything)] }).spec },
    },
  },
  'a kind is a name': define({ names: { plural: 'things', kind: 'not a kind' } }),
  'a kind and its list have different names': define({ names: { plural: 'things', kind: 'Thing', listKind: 'Thing' } }),
  'a status has no members': define({
    versions: [
      version(anything, {
        subresources: { scale: { specReplicasPath: 'spec.replicas', statusReplicasPath: '.status.replicas' } },
      }),
    ],
  }),
  'a column has a type that is known': define({
    versions: [version(anything, { additionalPrinterColumns: [{ name: 'A', type: 'map', jsonPath: '.spec.a' }] })],
  }),
  'a column has a path': define({
    versions: [version(anything, { additionalPrinterColumns: [{ name: 'A', type: 'string', jsonPath: 'spec.a' }] })],
  }),

  'a schema is of an object': define({ versions: [version({ type: 'array', items: text })] }),
  'a schema has types': schema({ properties: { a: text } }),
  'a list has items': schema({ type: 'array' }),
  'a schema has types that are known': schema({ type: 'text' }),
  'members are listed or open': schema({ type: 'object', properties: { a: text }, additionalProperties: text }),
  'a default is of the type': schema({ type: 'object', properties: { a: { type: 'string', default: 1 } } }),
  'a default keeps to the rules': schema({
    type: 'object',
    properties: { a: { type: 'string', maxLength: 1, default: 'ab' } },
  }),
  'a default has no unknown fields': schema({ type: 'object', default: { b: 1 }, properties: { a: text } }),
  'a pattern is one': schema({ type: 'string', pattern: '(' }),
  'a list type is known': schema({ type: 'array', items: text, 'x-kubernetes-list-type': 'bag' }),
  'a keyed list has keys': schema({
    type: 'array',
    items: { type: 'object', properties: { a: text } },
    'x-kubernetes-list-type': 'map',
  }),
  'a key of a list is required or has a default': schema({
    type: 'array',
    items: { type: 'object', properties: { a: text } },
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['a'],
  }),
  'a key of a list is a member': schema({
    type: 'array',
    items: { type: 'object', properties: { a: text } },
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['b'],
  }),
  'a set is of values': schema({ type: 'array', items: { type: 'object' }, 'x-kubernetes-list-type': 'set' }),
  'a schema has no references': schema({ $ref: '#/x' }),
  'an alternative has no types': schema({
    type: 'object',
    properties: { a: text },
    anyOf: [{ properties: { a: { type: 'string' } } }],
  }),
  'an embedded object keeps or lists its members': schema({ type: 'object', 'x-kubernetes-embedded-resource': true }),
  'metadata have rules for names alone': define({
    versions: [
      version({
        type: 'object',
        properties: {
          metadata: { type: 'object', properties: { labels: { type: 'object', additionalProperties: text } } },
        },
      }),
    ],
  }),
  'a number or a text is nothing else': schema({ type: 'string', 'x-kubernetes-int-or-string': true }),
  'items are unique by their type': schema({ type: 'array', items: text, uniqueItems: true }),
  'a rule is there': schema({ type: 'string', 'x-kubernetes-validations': [{ rule: '' }] }),
  'a message is of one line': schema({
    type: 'string',
    maxLength: 5,
    'x-kubernetes-validations': [{ rule: 'self != ""', message: 'a\nb' }],
  }),
  'a path of a rule is in the schema': schema({
    type: 'object',
    properties: { a: { type: 'string', maxLength: 5 } },
    'x-kubernetes-validations': [{ rule: 'self.a != ""', fieldPath: '.b' }],
  }),
  'a reason of a rule is known': schema({
    type: 'string',
    maxLength: 5,
    'x-kubernetes-validations': [{ rule: 'self != ""', reason: 'Because' }],
  }),
  'several things wrong with a definition': {
    ...define({
      scope: '',
      names: { plural: 'things', kind: '' },
      versions: [
        version({ type: 'object', properties: { a: {} } }),
        version(undefined, { name: 'v2', storage: false }),
      ],
    }),
  },
  'a rule that makes no sense': {
    ...schema({ type: 'object', properties: { a: text }, 'x-kubernetes-validations': [{ rule: 'self.b == 1' }] }),
    pick: [
      ['code'],
      [
        'details',
        'causes',
        'field=spec.validation.openAPIV3Schema.properties[spec].x-kubernetes-validations[0].rule',
        'reason',
      ],
    ],
  },
  'a transition rule is about what can be told again': schema({
    type: 'array',
    maxItems: 2,
    items: { type: 'string', maxLength: 5, 'x-kubernetes-validations': [{ rule: 'self == oldSelf' }] },
  }),
  'an alternative is about what there is': schema({
    type: 'object',
    properties: { a: text },
    anyOf: [{ required: ['a'] }, { properties: { b: { maxLength: 1 } } }],
  }),

  'the scope of a definition stays': {
    ask: `PATCH ${definitions}/smalls.${group}`,
    type: merge,
    body: { spec: { scope: 'Cluster' } },
  },
  'the group of a definition stays': {
    ask: `PATCH ${definitions}/smalls.${group}`,
    type: merge,
    body: { spec: { group: 'other.example.com' } },
    pick: [['code'], ['reason'], ['details', 'causes', 'field=spec.group']],
  },
  'the kind of a definition stays': {
    ask: `PATCH ${definitions}/smalls.${group}`,
    type: merge,
    body: { spec: { names: { kind: 'Other' } } },
    pick: [['code'], ['reason']],
  },
  'a version is added': {
    ask: `PATCH ${definitions}/smalls.${group}`,
    type: jsonPatch,
    body: [{ op: 'add', path: '/spec/versions/-', value: version(anything, { name: 'v2', storage: false }) }],
    pick: [
      ['metadata', 'generation'],
      ['status', 'storedVersions'],
    ],
  },
  'a version that is stored is not taken away': {
    ask: `PATCH ${definitions}/smalls.${group}`,
    type: jsonPatch,
    body: [
      { op: 'remove', path: '/spec/versions/0' },
      { op: 'replace', path: '/spec/versions/0/storage', value: true },
    ],
  },
  'the stored version moves': {
    ask: `PATCH ${definitions}/smalls.${group}`,
    type: jsonPatch,
    body: [
      { op: 'replace', path: '/spec/versions/0/storage', value: false },
      { op: 'replace', path: '/spec/versions/1/storage', value: true },
    ],
    pick: [
      ['metadata', 'generation'],
      ['status', 'storedVersions'],
    ],
  },
  'a new version is served': { ask: `GET /apis/${group}/v2/namespaces/<ns>/smalls`, until: 'SmallList' },
  'an object of a kind to go': {
    ask: `POST /apis/${group}/v2/namespaces/<ns>/smalls`,
    body: { apiVersion: `${group}/v2`, kind: 'Small', metadata: { name: 'a' } },
  },
  'a definition that goes takes its objects': {
    ask: `DELETE ${definitions}/smalls.${group}`,
    pick: [
      ['metadata', 'finalizers'],
      ['metadata', 'deletionTimestamp'],
    ],
  },
  'a definition is gone in the end': { ask: `GET ${definitions}/smalls.${group}`, until: 'NotFound' },
  'a kind without a definition is not served': { ask: `GET /apis/${group}/v2/namespaces/<ns>/smalls`, until: '404' },
}

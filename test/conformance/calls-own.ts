import { crdOf } from '#api/crd.ts'
import { ownKinds } from '#api/kinds.ts'
import { type ObjectRow, rows } from '#api/kinds.testkit.ts'
import { apiVersionOf, collectionPath, type Kind } from '#machinery/kind.ts'
import { apply, type Call, type Calls, merge } from './call.ts'

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'

function pathOf(kind: Kind): string {
  const path = collectionPath(kind)
  return kind.namespaced ? path.replace(kind.plural, `namespaces/<ns>/${kind.plural}`) : path
}

function kindNamed(name: string): Kind {
  const kind = ownKinds.find((each) => each.kind === name)
  if (kind === undefined) throw new Error(`no kind ${name}`)
  return kind
}

function definitionCalls(kind: Kind): [string, Call][] {
  const name = `${kind.plural}.${kind.group}`
  return [
    [
      `${kind.kind} is defined`,
      {
        ask: `POST ${definitions}`,
        body: crdOf(kind),
        pick: [['kind'], ['metadata', 'name'], ['metadata', 'generation']],
      },
    ],
    [
      `${kind.kind} is accepted`,
      {
        ask: `GET ${definitions}/${name}`,
        until: 'InitialNamesAccepted',
        pick: [
          ['status', 'acceptedNames'],
          ['status', 'storedVersions'],
          ['status', 'conditions'],
        ],
      },
    ],
    [`${kind.kind} is served`, { ask: `GET ${pathOf(kind)}`, until: `${kind.kind}List` }],
  ]
}

/** A row of the kinds' own tests as a call; what it may say there an API server must say here, to the letter. */
function rowCalls({ name, kind: kindName, spec, old, metadata }: ObjectRow, index: number): [string, Call][] {
  const kind = kindNamed(kindName)
  const path = pathOf(kind)
  const object = (wanted: unknown) => ({
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    metadata: { name: `row-${index}`, ...metadata },
    spec: wanted,
  })
  const sentence = `${kindName}: ${name}`
  if (old === undefined) return [[sentence, { ask: `POST ${path}`, body: object(spec) }]]
  return [
    [`${sentence}, before`, { ask: `POST ${path}`, body: object(old) }],
    [sentence, { ask: `PUT ${path}/row-${index}`, body: object(spec) }],
  ]
}

const boosters = pathOf(kindNamed('ModelBooster'))
const servings = pathOf(kindNamed('ModelServing'))
const table = 'application/json;as=Table;v=v1;g=meta.k8s.io'
const booster = {
  apiVersion: 'workload.serving.volcano.sh/v1alpha1',
  kind: 'ModelBooster',
  metadata: { name: 'chat' },
  spec: {
    backends: [
      {
        name: 'b',
        type: 'vLLM',
        modelURI: 'hf://org/model',
        minReplicas: 1,
        maxReplicas: 1,
        workers: [{ type: 'server', image: 'i:1', config: { 'max-model-len': 4096 } }],
      },
    ],
  },
}
const serving = {
  apiVersion: 'workload.serving.volcano.sh/v1alpha1',
  kind: 'ModelServing',
  metadata: { name: 'chat' },
  spec: {
    template: {
      roles: [
        {
          name: 'leader',
          entryTemplate: {
            metadata: { labels: { a: '1' } },
            spec: {
              containers: [
                {
                  name: 'c',
                  image: 'i:1',
                  ports: [{ containerPort: 80 }],
                  nothing: 1,
                  resources: { limits: { 'example.com/gpu': 1, memory: '1Gi' } },
                },
              ],
            },
          },
          workerReplicas: 0,
        },
      ],
    },
  },
}

/** Our own kinds: their definitions as published, the rows of their own tests, and what controllers and people do with them. */
export const ownCalls: Calls = Object.fromEntries([
  ...ownKinds.flatMap(definitionCalls),
  ...rows.flatMap(rowCalls),
  ['a booster is applied', { ask: `PATCH ${boosters}/chat?fieldManager=alice`, type: apply, body: booster }],
  ['a booster changes', { ask: `PATCH ${boosters}/chat`, type: merge, body: { spec: { name: 'other' } } }],
  [
    'a booster gets a status',
    {
      ask: `PATCH ${boosters}/chat/status?fieldManager=fairlead`,
      type: apply,
      body: {
        apiVersion: booster.apiVersion,
        kind: booster.kind,
        metadata: booster.metadata,
        status: {
          observedGeneration: 2,
          conditions: [
            {
              type: 'Active',
              status: 'True',
              reason: 'Ready',
              message: '',
              lastTransitionTime: '2001-01-01T00:00:00Z',
            },
          ],
        },
      },
    },
  ],
  [
    'a condition of a booster has a status of three',
    {
      ask: `PATCH ${boosters}/chat/status`,
      type: merge,
      body: {
        status: {
          conditions: [
            {
              type: 'Active',
              status: 'Maybe',
              reason: 'Ready',
              message: '',
              lastTransitionTime: '2001-01-01T00:00:00Z',
            },
          ],
        },
      },
    },
  ],
  ['boosters in a table', { ask: `GET ${boosters}?fieldSelector=metadata.name%3Dchat`, accept: table }],
  ['a serving with unknown fields in a pod', { ask: `POST ${servings}`, body: serving }],
  [
    'a serving with unknown fields in a pod is refused',
    { ask: `POST ${servings}?fieldValidation=Strict`, body: { ...serving, metadata: { name: 'strict' } } },
  ],
  ['a serving is scaled', { ask: `PATCH ${servings}/chat/scale`, type: merge, body: { spec: { replicas: 3 } } }],
  ['servings in a table', { ask: `GET ${servings}?fieldSelector=metadata.name%3Dchat`, accept: table }],
  ...ownKinds.map((kind): [string, Call] => [
    `${kind.kind} is undefined again`,
    { ask: `DELETE ${definitions}/${kind.plural}.${kind.group}`, pick: [['metadata', 'name']] },
  ]),
  ...ownKinds.map((kind): [string, Call] => [
    `${kind.kind} is gone`,
    { ask: `GET ${definitions}/${kind.plural}.${kind.group}`, until: 'NotFound' },
  ]),
])

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PodGroupSpec } from '#api/volcano.ts'
import { renderPodGroup, topologyOf } from './gang.ts'
import { serving } from './serving.testkit.ts'

const container = (resources: object, overrides = {}) => ({ name: 'c', image: 'i', resources, ...overrides })
const pod = (spec: object) => ({ spec: { containers: [], ...spec } })

interface Row {
  readonly role: object
  readonly gangPolicy?: object
  readonly want: Pick<PodGroupSpec, 'minMember' | 'minResources'>
}

const rows: Record<string, Row> = {
  'B-41 a limit without a request counts as one': {
    role: { entryTemplate: pod({ containers: [container({ limits: { 'nvidia.com/gpu': '1' } })] }) },
    want: { minMember: 1, minResources: { 'nvidia.com/gpu': '1' } },
  },
  'B-41 an init container counts where it asks for more than all others together': {
    role: {
      entryTemplate: pod({
        initContainers: [container({ requests: { cpu: '3', memory: '1Gi' } })],
        containers: [container({ requests: { cpu: '1', memory: '2Gi' } }), container({ requests: { cpu: '1' } })],
      }),
    },
    want: { minMember: 1, minResources: { cpu: '3', memory: '2Gi' } },
  },
  'B-41 one that stays counts with the others, and the overhead on top': {
    role: {
      entryTemplate: pod({
        initContainers: [container({ requests: { cpu: '1' } }, { restartPolicy: 'Always' })],
        containers: [container({ requests: { cpu: '500m' } })],
        overhead: { cpu: '250m' },
      }),
    },
    want: { minMember: 1, minResources: { cpu: '1750m' } },
  },
  'workers and all replicas count': {
    role: {
      replicas: 3,
      workerReplicas: 2,
      entryTemplate: pod({ containers: [container({ requests: { cpu: '1' } })] }),
      workerTemplate: pod({ containers: [container({ requests: { cpu: '2' } })] }),
    },
    want: { minMember: 9, minResources: { cpu: '15' } },
  },
  'with a minimum, only so many replicas': {
    role: {
      replicas: 3,
      workerReplicas: 1,
      entryTemplate: pod({ containers: [container({ requests: { cpu: '1' } })] }),
      workerTemplate: pod({ containers: [container({})] }),
    },
    gangPolicy: { minRoleReplicas: { decode: 1 } },
    want: { minMember: 2, minResources: { cpu: '1' } },
  },
}

for (const [name, { role, gangPolicy = {}, want }] of Object.entries(rows)) {
  test(name, () => {
    const object = serving({ template: { gangPolicy, roles: [{ name: 'decode', ...role }] } })
    const { roles } = object.spec.template
    const { spec } = renderPodGroup({ serving: object, ordinal: 0, roles, templates: roles, subGroups: false })
    const { minMember, minResources } = spec as PodGroupSpec
    assert.deepEqual({ minMember, minResources }, want)
  })
}

test('the older form of the topology is that of the group', () => {
  assert.deepEqual(topologyOf({ highestTierAllowed: 2 }), {
    group: { mode: 'hard', highestTierAllowed: 2 },
    role: undefined,
  })
  assert.deepEqual(topologyOf(undefined), { group: undefined, role: undefined })
})

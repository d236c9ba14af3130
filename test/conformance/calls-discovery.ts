import { apiVersionOf } from '#machinery/kind.ts'
import { coreKinds, reviewKinds } from '#api/core/kinds.ts'
import type { Call, Calls } from './call.ts'

const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
const served = [...coreKinds, ...reviewKinds]
const groups = [...new Set(served.map(({ group }) => group))].filter((group) => group !== '')
const versions = [...new Set(served.map(apiVersionOf))]

/** Subresources that both servers have. */
const subresources: Readonly<Record<string, readonly string[]>> = {
  pods: ['status', 'binding', 'eviction', 'log'],
  services: ['status'],
  namespaces: ['status', 'finalize'],
  nodes: ['status'],
  persistentvolumes: ['status'],
  persistentvolumeclaims: ['status'],
  jobs: ['status'],
  customresourcedefinitions: ['status'],
}

function resourcesOf(version: string): string[] {
  const plurals = served.filter((kind) => apiVersionOf(kind) === version).map(({ plural }) => plural)
  return plurals.flatMap((plural) => [plural, ...(subresources[plural] ?? []).map((name) => `${plural}/${name}`)])
}

function groupCall(group: string): [string, Call] {
  return [
    `the group ${group}`,
    {
      ask: `GET /apis/${group}`,
      pick: [['kind'], ['apiVersion'], ['name'], ['preferredVersion'], ['versions', 'version=v1']],
    },
  ]
}

function versionCall(version: string): [string, Call] {
  const path = version.includes('/') ? `/apis/${version}` : `/api/${version}`
  const pick = resourcesOf(version).map((name) => ['resources', `name=${name}`])
  return [`the resources of ${version}`, { ask: `GET ${path}`, pick: [['kind'], ['groupVersion'], ...pick] }]
}

function aggregatedPicks(names: readonly string[]): string[][] {
  return names.flatMap((group) => {
    const version = [
      'items',
      group === '' ? 'metadata.name=undefined' : `metadata.name=${group}`,
      'versions',
      'version=v1',
    ]
    const plurals = served.filter((kind) => kind.group === group).map(({ plural }) => plural)
    const resources = plurals.flatMap((plural) => {
      const resource = [...version, 'resources', `resource=${plural}`]
      const members = ['responseKind', 'scope', 'singularResource', 'verbs', 'shortNames', 'categories'].map(
        (member) => [...resource, member],
      )
      return [
        ...members,
        ...(subresources[plural] ?? []).map((name) => [...resource, 'subresources', `subresource=${name}`]),
      ]
    })
    return [[...version, 'freshness'], ...resources]
  })
}

const document = (path: string, names: readonly string[]): Call => ({
  ask: `GET /openapi/v3/${path}`,
  pick: [
    ['openapi'],
    ...names.flatMap((name) =>
      ['type', 'required', 'x-kubernetes-group-version-kind'].map((member) => ['components', 'schemas', name, member]),
    ),
  ],
})

/** What clients ask before they ask anything else, of what both servers have. */
export const discoveryCalls: Calls = {
  'the versions of the core group': { ask: 'GET /api', pick: [['kind'], ['versions']] },
  'the groups': {
    ask: 'GET /apis',
    pick: [['kind'], ['apiVersion'], ...groups.map((group) => ['groups', `name=${group}`, 'preferredVersion'])],
  },
  ...Object.fromEntries(groups.map(groupCall)),
  ...Object.fromEntries(versions.map(versionCall)),
  'all resources of the core group at once': {
    ask: 'GET /api',
    accept: aggregated,
    pick: [['kind'], ['apiVersion'], ['metadata'], ...aggregatedPicks([''])],
  },
  'all resources of all groups at once': {
    ask: 'GET /apis',
    accept: aggregated,
    pick: [['kind'], ['apiVersion'], ['metadata'], ...aggregatedPicks(groups)],
  },
  'all resources at once, or else the groups': {
    ask: 'GET /apis',
    accept: `${aggregated},application/json`,
    pick: [['kind']],
  },
  'all resources in a form that is none': {
    ask: 'GET /apis',
    accept: 'application/json;g=apidiscovery.k8s.io;v=v9;as=APIGroupDiscoveryList',
    pick: [['kind'], ['reason']],
  },
  'the version of the server': {
    ask: 'GET /version',
    pick: [
      ['major'],
      ['minor'],
      ['buildDate'],
      ['emulationMajor'],
      ['emulationMinor'],
      ['minCompatibilityMajor'],
      ['minCompatibilityMinor'],
    ],
  },
  'the paths of the server': { ask: 'GET /', pick: [['paths', 'nothing']] },
  'a document of the core group': document('api/v1', [
    'io.k8s.api.core.v1.Pod',
    'io.k8s.api.core.v1.ConfigMap',
    'io.k8s.api.core.v1.ConfigMapList',
  ]),
  'a document of a group': document('apis/batch/v1', ['io.k8s.api.batch.v1.Job', 'io.k8s.api.batch.v1.JobList']),
  'a document of a group that is none': { ask: 'GET /openapi/v3/apis/none.example.com/v1' },
}

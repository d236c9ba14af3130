/**
 * `config/`: plain manifests. Each folder can be applied by itself, with `-f` or `-k`; `programs` and `default` put them
 * together. Kustomize takes its file without an ending too, and then `-f` does not take it for a manifest.
 */
import type { CustomResourceDefinition } from '#api/core/types.generated.ts'
import { forMatrixInfer, forTheCluster, forThePrograms } from './installation.ts'
import { commonLabels, nameOf, programs, restricted, systemNamespace } from './names.ts'
import type { Parts } from './parts.ts'
import { leaderWorkerSetRoles } from './rbac.ts'
import { resolve } from './resolve.ts'
import type { Scope, Tree } from './tree.ts'
import { defaultValues } from './values.ts'
import { compactYaml, header, yaml } from './yaml.ts'

/** What `config/namespaced` installs into and watches; users put theirs into its place. */
const oneNamespace = 'fairlead'

/** By the names of their files. */
export type Definitions = ReadonlyMap<string, CustomResourceDefinition>

/** Every file by its path. */
export function plainFiles(version: string, crds: Definitions, legacy: Definitions): Map<string, string> {
  const scope: Scope = { values: defaultValues, namespace: systemNamespace, version }
  const monitored = { ...defaultValues, serviceMonitor: { ...defaultValues.serviceMonitor, enabled: true } }
  // In the namespace of the other folders: kustomize follows a name to where it is now only from where it began.
  const narrow: Scope = { ...scope, values: { ...defaultValues, namespaces: [systemNamespace] } }
  const { 'service-monitor': monitors, rbac, ...always } = forThePrograms
  const everywhere = { ...forTheCluster, rbac, ...always }
  return new Map([
    ...[...crds].map(([file, crd]): File => [`config/crd/${file}`, header + compactYaml(crd)]),
    ['config/crd/Kustomization', kustomization({ resources: [...crds.keys()] })],
    ...[...legacy].map(([file, crd]): File => [`config/matrixinfer/${file}`, header + compactYaml(crd)]),
    ...folder('matrixinfer', forMatrixInfer, scope, [...legacy.keys()]),
    ...Object.entries(everywhere).flatMap(([name, parts]) => folder(name, parts, scope)),
    ...folder('service-monitor', monitors, { ...scope, values: monitored }),
    ...folder('leader-worker-sets', { rights: leaderWorkerSetRoles() }, scope),
    ['config/programs/namespace.yaml', manifest([namespaceObject], scope)],
    [
      'config/programs/Kustomization',
      kustomization({ resources: ['namespace.yaml', ...siblings({ rbac, ...always })] }),
    ],
    [
      'config/default/Kustomization',
      kustomization({ resources: siblings({ crd: {}, ...forTheCluster, programs: {} }) }),
    ],
    ['config/namespaced/roles.yaml', manifest(Object.values(rbac).flat(), narrow)],
    ['config/namespaced/Kustomization', kustomization(namespaced(siblings(always)))],
  ])
}

type File = [path: string, text: string]

function folder(name: string, parts: Parts, scope: Scope, others: readonly string[] = []): File[] {
  return [
    ...Object.entries(parts).map(
      ([file, documents]): File => [`config/${name}/${file}.yaml`, manifest(documents, scope)],
    ),
    [
      `config/${name}/Kustomization`,
      kustomization({ resources: [...others, ...Object.keys(parts).map((file) => `${file}.yaml`)] }),
    ],
  ]
}

const siblings = (folders: object): string[] => Object.keys(folders).map((name) => `../${name}`)

function namespaced(resources: readonly string[]): object {
  return {
    namespace: oneNamespace,
    resources: ['roles.yaml', ...resources],
    patches: programs.map((program) => ({
      target: { kind: 'Deployment', name: nameOf(program) },
      patch: yaml([
        { op: 'add', path: '/spec/template/spec/containers/0/args/-', value: '--namespaces=$(POD_NAMESPACE)' },
      ]),
    })),
  }
}

/** Nothing of ours needs more than the strictest standard allows. */
const namespaceObject: Tree = {
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: {
    name: systemNamespace,
    labels: { ...commonLabels, ...restricted },
  },
}

const manifest = (documents: readonly Tree[], scope: Scope): string =>
  header + resolve(documents, scope).map(yaml).join('---\n')

const kustomization = (members: object): string =>
  header + yaml({ apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization', ...members })

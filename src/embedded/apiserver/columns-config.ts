import type { ClusterRoleBinding, ConfigMap, Namespace, RoleBinding, Secret, ServiceAccount } from '#api/core/kinds.ts'
import { age, type Columns, since, wide } from './column-cells.ts'

/** Of an older version of the group. */
const roles = {
  RoleBinding:
    'roleRef can reference a Role in the current namespace or a ClusterRole in the global namespace. If the RoleRef cannot be resolved, the Authorizer must return an error.',
  ClusterRoleBinding:
    'roleRef can only reference a ClusterRole in the global namespace. If the RoleRef cannot be resolved, the Authorizer must return an error.',
}

export const configColumns: Readonly<Record<string, Columns>> = {
  configmaps: {
    columns: [{ name: 'Data', about: 'core.v1.ConfigMap.data' }, age],
    cells: ({ data = {}, binaryData = {}, metadata }: ConfigMap, nowMs) => [
      Object.keys(data).length + Object.keys(binaryData).length,
      since(metadata.creationTimestamp, nowMs),
    ],
  },
  secrets: {
    columns: [{ name: 'Type', about: 'core.v1.Secret.type' }, { name: 'Data', about: 'core.v1.Secret.data' }, age],
    cells: ({ type = '', data = {}, metadata }: Secret, nowMs) => [
      type,
      Object.keys(data).length,
      since(metadata.creationTimestamp, nowMs),
    ],
  },
  namespaces: {
    columns: [{ name: 'Status', about: 'The status of the namespace' }, age],
    cells: ({ status, metadata }: Namespace, nowMs) => [status?.phase ?? '', since(metadata.creationTimestamp, nowMs)],
  },
  serviceaccounts: {
    columns: [age],
    cells: ({ metadata }: ServiceAccount, nowMs) => [since(metadata.creationTimestamp, nowMs)],
  },
  'rolebindings.rbac.authorization.k8s.io': bindings('RoleBinding'),
  'clusterrolebindings.rbac.authorization.k8s.io': bindings('ClusterRoleBinding'),
}

function bindings(kind: 'RoleBinding' | 'ClusterRoleBinding'): Columns {
  const word = kind.replace(/^./, (first) => first.toLowerCase())
  const named = ['Users', 'Groups', 'ServiceAccounts'].map((name) => wide(name, `${name} in the ${word}`))
  return {
    columns: [{ name: 'Role', about: roles[kind] }, age, ...named],
    cells: ({ roleRef, subjects = [], metadata }: RoleBinding | ClusterRoleBinding, nowMs) => {
      const of = (wanted: string): string =>
        subjects
          .filter((subject) => subject.kind === wanted)
          .map(({ namespace = '', name }) => (wanted === 'ServiceAccount' ? `${namespace}/${name}` : name))
          .join(', ')
      const age = since(metadata.creationTimestamp, nowMs)
      return [`${roleRef?.kind ?? ''}/${roleRef?.name ?? ''}`, age, of('User'), of('Group'), of('ServiceAccount')]
    },
  }
}

/** Rights as roles, and who holds them. */
import { Role } from '#api/core/kinds.ts'
import { apiVersionOf } from '#machinery/kind.ts'
import { commonLabels, labelsOf, nameOf, type Program } from './names.ts'
import { catalogRights, homeRights, type Right, rights } from './rights.ts'
import { each, item, namespace, not, type Tree, value, when } from './tree.ts'

const apiVersion = apiVersionOf(Role)
const apiGroup = Role.group

const namespaces = value((v) => v.namespaces)

/** A ClusterRole or, where only some namespaces are watched, a Role in each. */
export function programRoles(program: Program): Tree[] {
  const rules = rulesOf(rights[program])
  const name = nameOf(program)
  return [
    when(not(namespaces), clusterRole({ program, name, rules })),
    when(not(namespaces), clusterRoleBinding({ program, name })),
    each(namespaces, role({ program, name: nameOf(program), namespace: item, rules })),
    each(namespaces, roleBinding({ program, name: nameOf(program), namespace: item })),
  ]
}

/** What the AIM catalog needs beside: apart, because it reads Secrets, so that whoever does without can leave it out. */
export function catalogRoles(): Tree[] {
  const role = { program: 'manager', name: `${nameOf('manager')}-aim-catalog` } as const
  return [
    when(not(namespaces), clusterRole({ ...role, rules: rulesOf(catalogRights) })),
    when(not(namespaces), clusterRoleBinding(role)),
  ]
}

/** What the manager may do where it is installed. */
export function homeRoles(): Tree[] {
  const home = { program: 'manager', name: `${nameOf('manager')}-home`, namespace } as const
  return [role({ ...home, rules: rulesOf(homeRights) }), roleBinding(home)]
}

export function serviceAccount(program: Program): Tree {
  return {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: nameOf(program), namespace, labels: labelsOf(program) },
    automountServiceAccountToken: false, // our pods ask for it; another pod with this account would have to, too
  }
}

/** One role for those who look and one for those who change, added to Kubernetes' own `view`, `edit` and `admin`. */
export function userRoles(kinds: readonly Right['kind'][]): Tree[] {
  const scaled = kinds.filter(({ scale }) => scale !== undefined)
  const view: Right[] = [
    ...kinds.map((kind): Right => ({ kind, verbs: ['get', 'list', 'watch'] })),
    ...kinds.filter(({ status }) => status).map((kind): Right => ({ kind, subresource: 'status', verbs: ['get'] })),
    ...scaled.map((kind): Right => ({ kind, subresource: 'scale', verbs: ['get'] })),
  ]
  const edit: Right[] = [
    ...kinds.map((kind): Right => ({ kind, verbs: ['create', 'update', 'patch', 'delete', 'deletecollection'] })),
    ...scaled.map((kind): Right => ({ kind, subresource: 'scale', verbs: ['update', 'patch'] })),
  ]
  return [userRole('view', ['view', 'edit', 'admin'], view), userRole('edit', ['edit', 'admin'], edit)]
}

function userRole(name: string, into: readonly string[], own: readonly Right[]): Tree {
  const aggregate = into.map((role) => [`rbac.authorization.k8s.io/aggregate-to-${role}`, 'true'])
  return {
    apiVersion,
    kind: 'ClusterRole',
    metadata: { name: `fairlead-${name}`, labels: { ...commonLabels, ...Object.fromEntries(aggregate) } },
    rules: rulesOf(own),
  }
}

interface RoleFacts {
  readonly program: Program
  readonly name: string
  readonly namespace: Tree
}

function clusterRole({ program, name, rules }: Omit<RoleFacts, 'namespace'> & { readonly rules: Tree }): Tree {
  return {
    apiVersion,
    kind: 'ClusterRole',
    metadata: { name, labels: labelsOf(program) },
    rules,
  }
}

function clusterRoleBinding({ program, name }: Omit<RoleFacts, 'namespace'>): Tree {
  return {
    apiVersion,
    kind: 'ClusterRoleBinding',
    metadata: { name, labels: labelsOf(program) },
    roleRef: { apiGroup, kind: 'ClusterRole', name },
    subjects: subjects(program),
  }
}

function role({ program, name, namespace, rules }: RoleFacts & { readonly rules: Tree }): Tree {
  return { apiVersion, kind: 'Role', metadata: { name, namespace, labels: labelsOf(program) }, rules }
}

function roleBinding({ program, name, namespace }: RoleFacts): Tree {
  return {
    apiVersion,
    kind: 'RoleBinding',
    metadata: { name, namespace, labels: labelsOf(program) },
    roleRef: { apiGroup, kind: 'Role', name },
    subjects: subjects(program),
  }
}

const subjects = (program: Program): Tree => [{ kind: 'ServiceAccount', name: nameOf(program), namespace }]

/** Rights to the same verbs in the same group share a rule. */
function rulesOf(own: readonly Right[]): Tree[] {
  const alike = Map.groupBy(own, ({ kind, verbs, names = [] }) => [kind.group, [...verbs].sort(), names].join())
  return [...alike.values()].map((same) => {
    const [first] = same
    return {
      apiGroups: [first?.kind.group ?? ''],
      resources: same.map(({ kind, subresource }) => [kind.plural, subresource].filter(Boolean).join('/')),
      verbs: [...(first?.verbs ?? [])],
      ...(first?.names === undefined ? {} : { resourceNames: [...first.names] }),
    }
  })
}

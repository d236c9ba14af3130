/** Rights as roles, and who holds them. */
import { Role } from '#api/core/kinds.ts'
import { apiVersionOf } from '#machinery/kind.ts'
import { commonLabels, labelsOf, nameOf, type Program } from './names.ts'
import { catalogRights, homeRights, leaderWorkerSetRights, legacyRights, type Right, rights } from './rights.ts'
import { each, item, namespace, not, type Tree, value, when } from './tree.ts'

const apiVersion = apiVersionOf(Role)
const apiGroup = Role.group

const namespaces = value((v) => v.namespaces)

/** A ClusterRole or, where only some namespaces are watched, a Role in each. */
export function programRoles(program: Program): Tree[] {
  return [
    ...rolesNamed(nameOf(program), program, rights[program]),
    ...legacyRoles(program).map((tree) =>
      when(
        value((v) => v.matrixinfer),
        tree,
      ),
    ),
  ]
}

/** For MatrixInfer's kinds. */
export function legacyRoles(program: Program): Tree[] {
  return rolesNamed(`${nameOf(program)}-matrixinfer`, program, legacyRights[program])
}

function rolesNamed(name: string, program: Program, own: readonly Right[]): Tree[] {
  const rules = rulesOf(own)
  return [
    ...clusterWide(program, name, rules).map((document) => when(not(namespaces), document)),
    each(namespaces, role({ program, name, namespace: item, rules })),
    each(namespaces, roleBinding({ program, name, namespace: item })),
  ]
}

/** What the AIM catalog needs beside: apart, because it reads Secrets, so that whoever does without can leave it out. */
export function catalogRoles(): Tree[] {
  const documents = clusterWide('manager', `${nameOf('manager')}-aim-catalog`, rulesOf(catalogRights))
  return documents.map((document) => when(not(namespaces), document))
}

/** What the manager needs only where it takes LeaderWorkerSets. */
export function leaderWorkerSetRoles(): Tree[] {
  return clusterWide('manager', `${nameOf('manager')}-leader-worker-sets`, rulesOf(leaderWorkerSetRights))
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
export function userRoles(kinds: readonly Right['kind'][], prefix = 'fairlead'): Tree[] {
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
  return [
    userRole(`${prefix}-view`, ['view', 'edit', 'admin'], view),
    userRole(`${prefix}-edit`, ['edit', 'admin'], edit),
  ]
}

function userRole(name: string, into: readonly string[], own: readonly Right[]): Tree {
  const aggregate = into.map((role) => [`rbac.authorization.k8s.io/aggregate-to-${role}`, 'true'])
  return {
    apiVersion,
    kind: 'ClusterRole',
    metadata: { name, labels: { ...commonLabels, ...Object.fromEntries(aggregate) } },
    rules: rulesOf(own),
  }
}

interface RoleFacts {
  readonly program: Program
  readonly name: string
  readonly namespace: Tree
}

function clusterWide(program: Program, name: string, rules: Tree): Tree[] {
  const metadata = { name, labels: labelsOf(program) }
  return [
    { apiVersion, kind: 'ClusterRole', metadata, rules },
    {
      apiVersion,
      kind: 'ClusterRoleBinding',
      metadata,
      roleRef: { apiGroup, kind: 'ClusterRole', name },
      subjects: subjects(program),
    },
  ]
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

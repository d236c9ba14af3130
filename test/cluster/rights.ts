/** Least privilege, proven: what the service accounts of an installation may do against what they were seen to do. */
import type { PolicyRule } from '#api/core/types.generated.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { objectsIn } from '../install/objects.ts'
import type { AuditEntry } from './audit.ts'

/** Rights that no request shows, for admission asks for them. */
const unseen = /^update \S+\/finalizers$/

export interface Verdict {
  /** Given to an account and used by no request, such as `fairlead-router get pods`. */
  readonly unused: readonly string[]
  /** Asked for and refused. */
  readonly missing: readonly string[]
}

export function judgeRights(entries: readonly AuditEntry[]): Verdict {
  const given = new Set(['manager', 'router'].flatMap((program) => rightsOf(`fairlead-${program}`)))
  const own = entries.filter(({ user }) => accountOf(user) !== '')
  const used = new Set(own.flatMap(rightsIn))
  return {
    unused: [...given].filter((right) => !used.has(right)).sort(),
    missing: [...new Set(own.filter(({ forbidden }) => forbidden).flatMap(rightsIn))].sort(),
  }
}

function accountOf(user: string): string {
  return /^system:serviceaccount:fairlead-system:(fairlead-\w+)$/.exec(user)?.[1] ?? ''
}

/**
 * A server-side apply that makes an object needs the right to create it, beside that to patch; whoever watches needs the
 * right to list, for where a list that is streamed came to nothing, it is asked for in pages.
 */
function rightsIn({ user, verb, group, resource, subresource, code }: AuditEntry): string[] {
  const right = (asked: string): string =>
    `${accountOf(user)} ${asked} ${[group, resource, subresource].filter(Boolean).join('/')}`
  if (verb === 'patch' && code === 201) return [right('patch'), right('create')]
  return verb === 'watch' && code < 300 ? [right('watch'), right('list')] : [right(verb)]
}

function rightsOf(account: string): string[] {
  const roles = objectsIn('rbac', 'manager', 'router').filter(
    ({ kind, metadata: { name = '' } }) =>
      kind.endsWith('Role') && [account, `${account}-home`, `${account}-aim-catalog`].includes(name),
  )
  const rules = roles.flatMap((role) => (role as AnyResource & { rules: PolicyRule[] }).rules)
  return rules
    .flatMap(({ apiGroups = [], resources = [], verbs }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) => verbs.map((verb) => `${verb} ${[group, resource].filter(Boolean).join('/')}`)),
      ),
    )
    .filter((right) => !unseen.test(right))
    .map((right) => `${account} ${right}`)
}

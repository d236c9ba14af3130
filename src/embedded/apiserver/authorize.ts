import { openPaths, type User } from './identify.ts'

/** What somebody wants to do, in the words of a SubjectAccessReview. */
export interface Attributes {
  readonly verb: string
  readonly group?: string
  readonly resource?: string
  readonly subresource?: string
  readonly namespace?: string
  readonly name?: string
  readonly path?: string
}

export interface Decision {
  readonly allowed: boolean
  readonly reason: string
}

/** Whoever is known may do everything: one machine, one owner. The place for RBAC. Pure. */
export function authorize(user: User, { path }: Attributes): Decision {
  if (path !== undefined && openPaths.has(path)) return { allowed: true, reason: 'anybody may ask' }
  return user.groups.includes('system:unauthenticated')
    ? { allowed: false, reason: 'the user is not authenticated' }
    : { allowed: true, reason: 'every authenticated user may do everything' }
}

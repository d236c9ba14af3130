import { isObject } from '#base/json.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { badRequest } from '#machinery/status.ts'
import { authorize } from './authorize.ts'
import type { User } from './identify.ts'

/** Answers a question about rights or identity; the object comes back with its status. Faults: 400. */
export function answerReview(question: AnyResource, user: User): AnyResource {
  const spec = isObject(question.spec) ? question.spec : {}
  switch (question.kind) {
    case 'SelfSubjectAccessReview':
      return { ...question, status: decision(user, spec) }
    case 'SubjectAccessReview':
      return { ...question, status: decision(subjectOf(spec), spec) }
    case 'SelfSubjectRulesReview':
      return {
        ...question,
        status: {
          resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
          nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
          incomplete: false,
        },
      }
    case 'SelfSubjectReview':
      return { ...question, status: { userInfo: user } }
    case 'TokenReview':
      return { ...question, status: { authenticated: false, error: 'this server reviews no tokens' } }
    default:
      throw badRequest(`${question.kind} is no question that this server answers`)
  }
}

function subjectOf(spec: Record<string, unknown>): User {
  const groups = Array.isArray(spec['groups']) ? spec['groups'].map(String) : []
  return { username: String(spec['user'] ?? ''), groups }
}

function decision(user: User, spec: Record<string, unknown>): Record<string, unknown> {
  const attributes = isObject(spec['resourceAttributes']) ? spec['resourceAttributes'] : spec['nonResourceAttributes']
  if (!isObject(attributes)) {
    throw badRequest('exactly one of resourceAttributes and nonResourceAttributes must be given')
  }
  const { allowed, reason } = authorize(user, { verb: '', ...attributes })
  return { allowed, reason }
}

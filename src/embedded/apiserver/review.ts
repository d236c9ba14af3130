import { isObject } from '#base/json.ts'
import { type FieldError, invalidField } from '#machinery/field-error.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { badRequest, invalid } from '#machinery/status.ts'
import { authorize } from './authorize.ts'
import type { User } from './identify.ts'

/** Answers a question about rights or identity; the object comes back with its status. Faults: 400, 422. */
export function answerReview(question: AnyResource, user: User): AnyResource {
  const spec = isObject(question.spec) ? question.spec : {}
  switch (question.kind) {
    case 'SelfSubjectAccessReview':
      refuse(attributesErrors(spec))
      return { ...question, status: decision(user, spec) }
    case 'SubjectAccessReview':
      refuse([...attributesErrors(spec), ...subjectErrors(spec)])
      return { ...question, status: decision(subjectOf(spec), spec) }
    case 'SelfSubjectRulesReview':
      if (!spec['namespace']) throw badRequest('no namespace on request')
      return {
        ...question,
        spec: {},
        status: {
          resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
          nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
          incomplete: false,
        },
      }
    case 'SelfSubjectReview':
      return { ...question, status: { userInfo: user } }
    case 'TokenReview':
      if (!spec['token']) throw badRequest('token is required for TokenReview in authentication')
      return { ...question, status: { user: {}, error: 'this server reviews no tokens' } }
    default:
      throw badRequest(`${question.kind} is no question that this server answers`)
  }
}

/** Faults: 422. Kubernetes leaves out what it is about. */
function refuse(errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalid({ group: 'authorization.k8s.io', kind: '' }, '', errors)
}

function attributesErrors({ resourceAttributes, nonResourceAttributes }: Record<string, unknown>): FieldError[] {
  if ((resourceAttributes === undefined) !== (nonResourceAttributes === undefined)) return []
  const { path = '', verb = '' } = isObject(nonResourceAttributes) ? nonResourceAttributes : {}
  const printed = nonResourceAttributes === undefined ? null : { Path: path, Verb: verb } // by Go's names
  return invalidField('spec', printed, 'exactly one of nonResourceAttributes or resourceAttributes must be specified')
}

function subjectErrors(spec: Record<string, unknown>): FieldError[] {
  const { username, groups } = subjectOf(spec)
  if (username !== '' || groups.length > 0) return []
  return invalidField('spec.user', '', 'at least one of user or group must be specified')
}

function subjectOf(spec: Record<string, unknown>): User {
  const groups = Array.isArray(spec['groups']) ? spec['groups'].map(String) : []
  return { username: String(spec['user'] ?? ''), groups }
}

function decision(user: User, spec: Record<string, unknown>): Record<string, unknown> {
  const attributes = spec['resourceAttributes'] ?? spec['nonResourceAttributes']
  const { allowed, reason } = authorize(user, { verb: '', ...(isObject(attributes) ? attributes : {}) })
  return { allowed, reason }
}

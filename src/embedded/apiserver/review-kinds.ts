import type { Kind } from '#machinery/kind.ts'

/** Who am I? Answered from the request alone; the pinned document leaves it out. */
export const SelfSubjectReview: Kind = {
  group: 'authentication.k8s.io',
  version: 'v1',
  kind: 'SelfSubjectReview',
  plural: 'selfsubjectreviews',
  singular: 'selfsubjectreview',
  listKind: 'SelfSubjectReviewList',
  shortNames: [],
  categories: [],
  namespaced: false,
  status: false,
  columns: [],
  builtin: true,
  schema: () => ({
    type: 'object',
    properties: { status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
  }),
}

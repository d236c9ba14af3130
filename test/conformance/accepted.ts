/**
 * Where the embedded API server answers otherwise than a real one, and why that is well so. Everything else in these answers
 * is compared; a difference that is no more must be taken out.
 */
export interface Accepted {
  /** Sentences of the script. */
  readonly calls: readonly string[]
  /** The parts of these answers that may differ, with all below. */
  readonly at: readonly string[]
  readonly reason: string
}

const message = 'body.message'
const cause = 'body.details.causes.0.message'

export const accepted: readonly Accepted[] = [
  {
    calls: [
      'a body is of the kind of the path',
      'a body is of a kind that is known',
      'a body is of a version that is known',
      'a body is of a group that is known',
      'a replacement is of the kind of the path',
      'a deletion is asked by DeleteOptions',
      'an eviction is an eviction',
    ],
    at: [message],
    reason:
      'Kubernetes\' text is about its source (no kind registered in scheme "pkg/runtime/scheme.go:111"); ours names what was sent and what is expected.',
  },
  {
    calls: [
      'a merge patch does not change the kind',
      'a merge patch does not change the apiVersion',
      'a merge patch keeps to the types',
      'unknown fields of a merge patch are refused',
      'duplicate fields of a merge patch are refused',
      'unknown fields of a JSON patch are refused',
      'unknown fields of an operation are refused',
      'unknown fields of a strategic patch are refused',
    ],
    at: [message, cause],
    reason:
      'Kubernetes quotes the whole patched object in its refusal, secrets included; we say what is wrong and no more.',
  },
  {
    calls: ['a strategic patch puts a map where a map is', 'a strategic patch puts a list where a list is'],
    at: [message, cause],
    reason: "Kubernetes prints the patch as Go prints a map, and no field; ours is the refusal of the field's type.",
  },
  {
    calls: [
      'a test that fails',
      'a test of what is not there',
      'a removal of what is not there',
      'an addition below what is not there',
      'a move of what is not there',
      'an operation that is unknown',
      'an operation without a path',
    ],
    at: ['body.details'],
    reason:
      'Kubernetes says that a JSON patch could not be carried out and keeps to itself why; we add the reason as a cause.',
  },
  {
    calls: ['apply takes no broken YAML'],
    at: [message],
    reason: 'The text is of the YAML library; it tells the same line.',
  },
  {
    calls: ['a claim', 'claims in a table', 'a volume', 'a volume in a table'],
    at: ['body.metadata.finalizers', 'body.rows.0.object.metadata.finalizers'],
    reason:
      'Nothing in an embedded cluster would take the finalizers of storage protection away again: there is no storage to be protected.',
  },
  {
    calls: ['a node', 'a node is made unschedulable', 'a status of a node'],
    at: ['body.spec.taints'],
    reason:
      'A new node is tainted as not ready until the node lifecycle controller takes the taint away; the binder of an embedded cluster looks at the condition itself.',
  },
]

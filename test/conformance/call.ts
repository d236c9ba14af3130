/**
 * One request of the script, as data. In its texts `<ns>` stands for the namespace of the subject, which nobody else uses,
 * and `<a.metadata.uid>` for a member of the answer that was named `a`.
 */
export interface Call {
  /** Method and path, such as `GET /api/v1/namespaces/<ns>/pods`. */
  readonly ask: string
  /** Sent as JSON; a text is sent as it is. */
  readonly body?: unknown
  /** Content type; default: `application/json` where there is a body. */
  readonly type?: string
  /** Default: `application/json`. */
  readonly accept?: string
  /** Default: `conformance/1`. */
  readonly agent?: string
  /** What later calls know the answer by. */
  readonly as?: string
  /** The answer is a stream: read so many events and leave, or all that come until the server ends it. */
  readonly events?: number | 'all'
  /** Asked again until the answer says this: what a server gets to in its own time, such as serving a new kind. */
  readonly until?: string
  /**
   * The only parts of a body that are compared, each by the members on the way; `name=x` picks the item of a list whose
   * `name` is `x`. For documents about more than both servers serve, or about what another call shows in full.
   */
  readonly pick?: readonly (readonly string[])[]
}

/** Calls in order, each under a sentence that says what is to be seen; no sentence occurs twice in the whole script. */
export type Calls = Readonly<Record<string, Call>>

export const merge = 'application/merge-patch+json'
export const jsonPatch = 'application/json-patch+json'
export const strategic = 'application/strategic-merge-patch+json'
export const apply = 'application/apply-patch+yaml'

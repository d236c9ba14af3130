import type { Resource } from './meta.ts'

/** A line of a watch response. A `BOOKMARK` carries only kind and resourceVersion; an `ERROR` carries a Status. */
export interface WatchEvent<T = Resource> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
  readonly object: T
}

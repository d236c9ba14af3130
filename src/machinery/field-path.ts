/** One step of a path: a member's name or an index. */
export type PathSegment = string | number

/** Not with a dollar in front: at the start of a path that stands for the root. */
const plainName = /^[A-Za-z_][\w$/-]*$/

/** `spec.a[0].b["x.y"]`: names that could be read otherwise are quoted. */
export function formatPath(segments: readonly PathSegment[]): string {
  let path = ''
  for (const segment of segments) {
    if (typeof segment === 'number') path += `[${segment}]`
    else if (plainName.test(segment)) path += path === '' ? segment : `.${segment}`
    else path += `[${JSON.stringify(segment)}]`
  }
  return path
}

const pathToken = /\.?((?:\\.|[^.[\]\\])+)|\[(\d+)\]|\["((?:\\.|[^"\\])*)"\]|\['((?:\\.|[^'\\])*)'\]/y

/**
 * Reads what `formatPath` writes, and simple JSON paths: `.spec.replicas`, `{.a['b.c']}`, `.metadata.labels.a\.b`.
 * `undefined` when the text is neither; wildcards, filters and slices are not simple.
 */
export function parsePath(text: string): PathSegment[] | undefined {
  const inner = text.startsWith('{') && text.endsWith('}') ? text.slice(1, -1) : text
  const path = inner.startsWith('$') ? inner.slice(1) : inner
  if (path === '.' || path === '') return []
  const segments: PathSegment[] = []
  pathToken.lastIndex = 0
  while (pathToken.lastIndex < path.length) {
    const first = pathToken.lastIndex === 0
    const match = pathToken.exec(path)
    if (match === null) return undefined
    const [token, name, index, double, single] = match
    if (name !== undefined && !first && !token.startsWith('.')) return undefined
    if (index !== undefined) segments.push(Number(index))
    else segments.push((name ?? double ?? single ?? '').replace(/\\(.)/g, '$1'))
  }
  return segments
}

/** The value at a path; `undefined` when anything on the way is absent. */
export function getAt(value: unknown, segments: readonly PathSegment[]): unknown {
  let at = value
  for (const segment of segments) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, segment)) return undefined
    at = (at as Record<PathSegment, unknown>)[segment]
  }
  return at
}

/** A copy with another value at a path, which is made where it is absent; with `undefined` the member or item goes. */
export function withValueAt(target: unknown, [first, ...rest]: readonly PathSegment[], value: unknown): unknown {
  if (first === undefined) return value
  const below = getAt(target, [first])
  const next = rest.length === 0 ? value : withValueAt(below, rest, value)
  if (typeof first === 'number') {
    const items = Array.isArray(target) ? (target as unknown[]) : []
    return next === undefined ? items.toSpliced(first, 1) : items.slice(0, first).concat([next], items.slice(first + 1))
  }
  const { [first]: _, ...others } = (target ?? {}) as Record<string, unknown>
  return next === undefined ? others : { ...(target as object | undefined), [first]: next }
}

/** `path.name`, or `name` at the root. The cheap form for code that walks an object. */
export function childPath(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}

/**
 * Makes the answers of two servers comparable. Only what cannot be the same is replaced, by what can:
 *
 * | what | becomes | because |
 * |---|---|---|
 * | a UUID | `<uid 1>`, `<uid 2>` in order of appearance | random; which object it is of still shows |
 * | `resourceVersion` of an object | `<rv 3>`, its rank among those of the subject's objects | opaque; its order is not |
 * | `resourceVersion` of a list or bookmark | `<rv 3>`, the rank of the last object version at that moment | others write too |
 * | a time within a day of now | `<now>`, `<now µs>` | the form still shows; times that the script sets are long ago |
 * | `12s` as a cell of a table | `<age>` | time passes |
 * | the generated end of a name | `<generated>` | random |
 * | an address of the servers' ranges for services, a node port | `<cluster ip>`, `<node port>` | each has its own |
 * | a continue token | `<continue>` | opaque |
 * | the causes of a conflict between managers | sorted | Go's maps have no order |
 * | managedFields, if in Kubernetes' order | sorted by what names an entry | that order goes by the second of the write |
 */
import { isObject } from '#base/json.ts'
import type { Recorded, Recording } from './replay.ts'

export function normalised(answers: readonly (readonly [string, Recorded])[], namespace: string): Recording {
  const versions = objectVersions(answers)
  const uids = new Map<string, string>()
  const uid = (found: string): string => {
    const known = uids.get(found) ?? `<uid ${uids.size + 1}>`
    uids.set(found, known)
    return known
  }
  const text = (value: string): string =>
    value
      .replaceAll(namespace, '<ns>')
      .replaceAll(uuid, uid)
      .replaceAll(time, timeWord)
      .replaceAll(serviceAddress, '<cluster ip>')
      .replaceAll(momentInMessage, (_, before: string, version: string) => before + rank(versions, version))

  const value = (given: unknown): unknown => {
    if (typeof given === 'string') return text(given)
    if (Array.isArray(given)) return given.map(value)
    if (!isObject(given)) return given
    const members = Object.keys(given)
      .sort()
      .map((name) => [text(name), member(name, given[name], given)] as const)
    return Object.fromEntries(members)
  }
  const member = (name: string, given: unknown, of: Record<string, unknown>): unknown => {
    switch (name) {
      case 'resourceVersion':
        return typeof given === 'string' && /^\d+$/.test(given) ? rank(versions, given) : value(given)
      case 'continue':
        return typeof given === 'string' && given !== '' ? '<continue>' : given
      case 'nodePort':
        return typeof given === 'number' && given >= 30_000 ? '<node port>' : given
      case 'name':
        return typeof given === 'string' ? text(generated(given, of['generateName'])) : value(given)
      case 'managedFields':
        return Array.isArray(given) ? sortedHolders(given).map(value) : value(given)
      case 'causes':
        return (given as unknown[]).toSorted(byManager).map(value)
      case 'cells':
        return (given as unknown[]).map((cell) =>
          typeof cell === 'string' && /^\d+s$/.test(cell) ? '<age>' : value(cell),
        )
      default:
        return value(given)
    }
  }
  return Object.fromEntries(answers.map(([sentence, answer]) => [sentence, value(answer) as Recorded])) // the same form
}

const uuid = /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g
const time = /\b\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{6})?Z/g
const dayMs = 24 * 60 * 60 * 1000
/** The range of the embedded server and that of the real one that `startControlPlane` starts. */
const serviceAddress = /\b(?:127\.96|10\.0)\.\d+\.\d+\b/g
const momentInMessage =
  /(too old resource version: \d+ \(|Too large resource version: \d+, current: |the ResourceVersion in record \(|resourceVersion\\?":\\?")(\d+)/g

function timeWord(found: string, fraction: string | undefined): string {
  if (Math.abs(Date.parse(found) - Date.now()) > dayMs) return found
  return fraction === undefined ? '<now>' : '<now µs>'
}

/** Versions of all objects in the answers, ascending. An object has a uid; a list and a bookmark have none. */
function objectVersions(answers: unknown): number[] {
  const found = new Set<number>()
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(walk)
    if (!isObject(value)) return
    if (typeof value['uid'] === 'string' && typeof value['resourceVersion'] === 'string')
      found.add(Number(value['resourceVersion']))
    Object.values(value).forEach(walk)
  }
  walk(answers)
  return [...found].sort((a, b) => a - b)
}

function rank(versions: readonly number[], version: string): string {
  return `<rv ${versions.filter((known) => known <= Number(version)).length}>`
}

function generated(name: string, base: unknown): string {
  const isGenerated = typeof base === 'string' && base !== '' && name.startsWith(base.slice(0, 58))
  return isGenerated ? name.replace(/[bcdfghjklmnpqrstvwxz2456789]{5}$/, '<generated>') : name
}

/** Sorted by what stays the same between two runs, unless they are not sorted as Kubernetes sorts them. */
function sortedHolders(entries: readonly unknown[]): unknown[] {
  const inOrder = isSorted(
    entries.map((entry) => key(entry, ['operation', 'time', 'manager', 'apiVersion', 'subresource'])),
  )
  const names = (entry: unknown): string => key(entry, ['operation', 'manager', 'apiVersion', 'subresource'])
  const sorted = entries.toSorted((a, b) => (names(a) < names(b) ? -1 : 1))
  return inOrder ? sorted : ['<out of order>', ...sorted]
}

function byManager(a: unknown, b: unknown): number {
  const text = (cause: unknown): string => {
    const { reason, message, field } = isObject(cause) ? cause : {}
    return reason === 'FieldManagerConflict' ? `${String(message)} ${String(field)}` : ''
  }
  return text(a) < text(b) ? -1 : Number(text(a) > text(b))
}

function key(entry: unknown, names: readonly string[]): string {
  return names.map((name) => (isObject(entry) ? String(entry[name] ?? '') : '')).join('\u0000')
}

function isSorted(texts: readonly string[]): boolean {
  return texts.every((text, i) => i === 0 || (texts[i - 1] ?? '') <= text)
}

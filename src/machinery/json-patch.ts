import { equalJson, isObject } from '#base/json.ts'
import { setMember } from './json-members.ts'
import { oversizedPatch, unfitPatch, unreadablePatch } from './patch-fault.ts'

/** As in Kubernetes' API server. */
const maxOperations = 10_000
const maxCopiedBytes = 3 * 1024 * 1024

type Container = Record<string, unknown> | unknown[]

/**
 * Applies an RFC 6902 patch; messages are worded as Kubernetes' API server words them.
 * @throws Fault `BadPatch` when it is no patch, `PatchTooLarge`, or `PatchFailed` (a failed `test` too).
 */
export function applyJsonPatch(document: unknown, operations: unknown): unknown {
  if (!Array.isArray(operations)) throw unreadablePatch('a JSON patch must be an array of operations')
  if (operations.length > maxOperations) {
    throw oversizedPatch(`The allowed maximum operations in a JSON patch is ${maxOperations}, got ${operations.length}`)
  }
  // A root above the document makes the empty pointer a member like any other.
  const root: Container = { '': structuredClone(document) }
  let copiedBytes = 0
  for (const operation of operations) {
    if (!isObject(operation)) throw unreadablePatch('each operation of a JSON patch must be an object')
    const { op } = operation
    const path = pointer(operation, 'path')
    switch (op) {
      case 'add':
        add(root, path, op, structuredClone(valueOf(operation)))
        break
      case 'replace':
        replace(root, path, structuredClone(valueOf(operation)))
        break
      case 'remove':
        remove(root, path, op)
        break
      case 'test':
        test(root, path, valueOf(operation))
        break
      case 'move': {
        const from = pointer(operation, 'from')
        if (path.text.startsWith(`${from.text}/`)) {
          throw unfitPatch(`error in move for path: '${path.text}': ${from.text} cannot move into itself`)
        }
        add(root, path, op, remove(root, from, op))
        break
      }
      case 'copy': {
        const from = pointer(operation, 'from')
        const { holder } = locate(root, from, op)
        if (Array.isArray(holder)) indexOf(holder, from.keys.at(-1) ?? '', from, op, 1)
        const value = read(root, from) ?? null // of a map, what is not there is null
        copiedBytes += JSON.stringify(value).length
        if (copiedBytes > maxCopiedBytes) {
          throw oversizedPatch(
            `Unable to complete the copy, the accumulated size increase of copy is ${copiedBytes}, exceeding the limit ${maxCopiedBytes}`,
          )
        }
        add(root, path, op, structuredClone(value))
        break
      }
      default:
        throw unfitPatch(`Unexpected kind: ${typeof op === 'string' ? op : JSON.stringify(op)}`)
    }
  }
  return root['']
}

/** An RFC 6901 pointer: `text` as given, `keys` below the root container. */
interface Pointer {
  readonly text: string
  readonly keys: readonly string[]
}

function pointer(operation: Record<string, unknown>, member: 'path' | 'from'): Pointer {
  const text = operation[member]
  if (typeof text !== 'string') {
    throw unfitPatch(`${String(operation['op'])} operation failed to decode ${member}: missing value`)
  }
  if (text !== '' && !text.startsWith('/')) throw unfitPatch(`"${member}" must be empty or start with "/": ${text}`)
  return { text, keys: text.split('/').map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~')) }
}

function valueOf({ value = null }: Record<string, unknown>): unknown {
  return value
}

function child(container: unknown, key: string): unknown {
  if (Array.isArray(container)) return /^(0|[1-9]\d*)$/.test(key) ? container[Number(key)] : undefined
  return isObject(container) && Object.hasOwn(container, key) ? container[key] : undefined
}

function read(root: Container, { keys }: Pointer): unknown {
  return keys.reduce<unknown>(child, root)
}

/** The container that holds the last key, and that key. */
function locate(root: Container, { text, keys }: Pointer, op: string): { holder: Container; key: string } {
  const holder = keys.slice(0, -1).reduce<unknown>(child, root)
  if (typeof holder !== 'object' || holder === null) {
    throw unfitPatch(`${op} operation does not apply: doc is missing path: "${text}": missing value`)
  }
  return { holder: holder as Container, key: keys.at(-1) ?? '' }
}

function add(root: Container, path: Pointer, op: string, value: unknown): void {
  const { holder, key } = locate(root, path, op)
  if (Array.isArray(holder)) holder.splice(key === '-' ? holder.length : indexOf(holder, key, path, op, 0), 0, value)
  else setMember(holder, key, value)
}

function replace(root: Container, path: Pointer, value: unknown): void {
  const { holder, key } = locate(root, path, 'replace')
  // Of a map, what is not there is replaced too.
  if (!Array.isArray(holder)) return setMember(holder, key, value)
  if (child(holder, key) === undefined) {
    throw unfitPatch(`replace operation does not apply: doc is missing key: ${path.text}: missing value`)
  }
  holder[Number(key)] = value
}

function remove(root: Container, path: Pointer, op: string): unknown {
  const { holder, key } = locate(root, path, op)
  if (path.text === '') throw unfitPatch(`error in ${op} for path: '': the whole document cannot be removed`)
  if (Array.isArray(holder)) return holder.splice(indexOf(holder, key, path, op, 1), 1)[0]
  const value = child(holder, key)
  if (value === undefined) {
    throw unfitPatch(`error in ${op} for path: '${path.text}': Unable to remove nonexistent key: ${key}: missing value`)
  }
  delete holder[key]
  return value
}

function test(root: Container, path: Pointer, want: unknown): void {
  const found = read(root, path)
  // A missing value equals null here, as in Kubernetes.
  if (!equalJson(found ?? null, want)) throw unfitPatch(`testing value ${path.text} failed: test failed`)
}

/** An index of `items` that is at most its length less `margin`. */
function indexOf(items: readonly unknown[], key: string, path: Pointer, op: string, margin: 0 | 1): number {
  if (!/^(0|[1-9]\d*)$/.test(key) || Number(key) > items.length - margin) {
    throw unfitPatch(
      `error in ${op} for path: '${path.text}': Unable to access invalid index: ${key}: invalid index referenced`,
    )
  }
  return Number(key)
}

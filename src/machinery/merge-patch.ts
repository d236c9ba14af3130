import { equalJson, isObject } from '#base/json.ts'
import { memberOf, setMember } from './json-members.ts'
import { unreadablePatch } from './patch-fault.ts'

/**
 * Applies an RFC 7386 merge patch. Shares with its inputs what it does not change.
 * @throws Fault `BadPatch` when the patch is no object: Kubernetes refuses to replace a whole document.
 */
export function applyMergePatch(document: unknown, patch: unknown): unknown {
  if (!isObject(patch)) throw unreadablePatch('a merge patch must be a JSON object')
  return merge(document, patch)
}

function merge(document: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch
  const merged = isObject(document) ? { ...document } : {}
  for (const name of Object.keys(patch)) {
    const value = patch[name]
    if (value === undefined) continue
    if (value === null) delete merged[name]
    else setMember(merged, name, merge(memberOf(merged, name), value))
  }
  return merged
}

/**
 * The smallest merge patch from one object to another: `applyMergePatch(from, patch)` equals `to`, provided that `to`
 * has no null members, which a merge patch cannot express. Lists are replaced whole.
 */
export function createMergePatch(
  from: Readonly<Record<string, unknown>>,
  to: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const patch: Record<string, unknown> = {}
  for (const name of Object.keys(from)) {
    if (from[name] !== undefined && memberOf(to, name) === undefined) setMember(patch, name, null)
  }
  for (const name of Object.keys(to)) {
    const before = memberOf(from, name)
    const after = to[name]
    if (after === undefined || equalJson(before, after)) continue
    setMember(patch, name, isObject(before) && isObject(after) ? createMergePatch(before, after) : after)
  }
  return patch
}

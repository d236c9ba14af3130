import { isObject } from '#base/json.ts'
import type { AnyResource, ObjectMeta } from '#machinery/meta.ts'
import { compileSchema } from '#machinery/schema.ts'
import { badRequest } from '#machinery/status.ts'
import { builtinDefaults } from './builtin-defaults.ts'
import type { Call } from './context.ts'
import { messageName, metaPackage } from './go-types.ts'
import type { ServedKind } from './served-kind.ts'
import { readTyped, type TypedRead } from './typed-json.ts'

/** What a server does about fields that it does not know. */
export const fieldValidations = ['', 'Ignore', 'Strict', 'Warn'] as const
export type FieldValidation = (typeof fieldValidations)[number]

export interface ReadOptions {
  readonly mode: FieldValidation
  /** What decoding already found, such as members that are there twice. */
  readonly problems: readonly string[]
  /** The refusal of what strict reading finds; default: a bad request that names the kind. */
  readonly refuse?: (message: string) => Error
}

/**
 * A decoded body as an object of the target's kind and place, with unknown fields gone, told as `mode` asks, and with
 * defaults filled in. Nothing is judged yet but its types. Faults: 400.
 */
export function readObject(call: Call, value: unknown, { mode, problems, refuse }: ReadOptions): AnyResource {
  const { served } = call.target
  if (mode !== 'Ignore') call.warnings.push(...ofOtherVersion(served, value))
  const { object, unknown } = readKind(served, value, refuse)
  if (mode !== 'Ignore') report(call, [...problems, ...unknown], mode, refuse)
  return inPlace(call, withDefaults(served, object))
}

/** Of a custom object of a version that is not that of the path nothing is known, which is told before it is refused. */
function ofOtherVersion({ kind, apiVersion }: ServedKind, value: unknown): string[] {
  if (kind.builtin || !isObject(value) || value['apiVersion'] === apiVersion) return []
  const known = ['apiVersion', 'kind', 'metadata']
  return Object.keys(value)
    .filter((name) => !known.includes(name))
    .map((name) => `unknown field "${name}"`)
}

/** An object that the server put together from what it knows the fields of. */
export function readResult(served: ServedKind, object: AnyResource): AnyResource {
  return withDefaults(served, served.kind.builtin ? readKind(served, object).object : object)
}

/** What an object of a kind is that holds nothing, before anybody set anything. */
export function emptyObject(served: ServedKind): AnyResource | undefined {
  const { apiVersion, kind } = served
  if (!kind.builtin) return undefined
  let empty = emptyObjects.get(served)
  if (empty === undefined) {
    empty = { apiVersion, kind: kind.kind, ...readTyped(typeName(served), {}).value } as unknown as AnyResource // of its type
    emptyObjects.set(served, empty)
  }
  return empty
}

const emptyObjects = new WeakMap<ServedKind, AnyResource>()

function typeName({ apiVersion, kind }: ServedKind): string {
  const name = messageName(apiVersion, kind.kind)
  if (name === undefined) throw new Error(`no type of ${kind.kind} in ${apiVersion} is known`)
  return name
}

function withDefaults(served: ServedKind, object: AnyResource): AnyResource {
  if (object.kind !== served.kind.kind) return object
  const schema = compileSchema(served.kind.schema())
  return served.kind.builtin ? builtinDefaults(schema.fill(object)) : schema.default(object)
}

interface Read {
  readonly object: AnyResource
  /** `unknown field "spec.x"`, in the order of the document. */
  readonly unknown: readonly string[]
}

/** The fields that the kind has, each of its type. Faults: 400. */
function readKind(served: ServedKind, value: unknown, refuse?: ReadOptions['refuse']): Read {
  const { kind } = served
  const given = value === null && kind.builtin ? {} : value
  if (!isObject(given))
    throw badRequest(`the object provided is unrecognized (must be of type ${kind.kind}): it is no JSON object`)
  checkType(served, given, refuse)
  const { object, unknown, error } = kind.builtin
    ? readBuiltin(served, { ...given, apiVersion: served.apiVersion, kind: kind.kind })
    : readCustom(served, given)
  if (error !== undefined) throw refuse?.(error) ?? badRequest(cannotBeHandled(served, error))
  return { object, unknown: unknown.map((path) => `unknown field "${path}"`) }
}

/** Faults: 400. */
function checkType(
  { apiVersion, kind }: ServedKind,
  given: Record<string, unknown>,
  refuse: ReadOptions['refuse'],
): void {
  const { apiVersion: version = kind.builtin ? apiVersion : '', kind: name = kind.kind } = given
  if (version === apiVersion && (name === kind.kind || !kind.builtin)) return
  const [found, wanted] = kind.builtin
    ? [`${String(version)}, kind ${String(name)}`, `${apiVersion}, kind ${kind.kind}`]
    : [String(version), apiVersion]
  const why = `the API version in the data (${found}) does not match the expected API version (${wanted})`
  throw refuse?.(why) ?? badRequest(why)
}

function cannotBeHandled({ kind }: ServedKind, why: string): string {
  return `${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: ${why}`
}

type Pruned = Pick<Read, 'object' | 'unknown'> & Pick<TypedRead, 'error'>

function readBuiltin(served: ServedKind, given: Record<string, unknown>): Pruned {
  const { value, unknown, error } = readTyped(typeName(served), given)
  return { object: value as unknown as AnyResource, unknown, error } // of the kind's own type
}

function readCustom(served: ServedKind, given: Record<string, unknown>): Pruned {
  const { metadata = {}, ...rest } = given
  const isOther = given['kind'] !== served.kind.kind
  if (!isObject(metadata)) {
    const error = `json: cannot unmarshal ${typeof metadata} into Go value of type v1.ObjectMeta`
    return { object: given as unknown as AnyResource, unknown: [], error }
  }
  const meta = readTyped(`${metaPackage}.ObjectMeta`, metadata)
  // What is of another kind is refused later, as it came.
  const { value, unknown } = isOther ? { value: rest, unknown: [] } : compileSchema(served.kind.schema()).prune(rest)
  return {
    object: { ...value, metadata: meta.value } as unknown as AnyResource, // what its schema allows
    unknown: [...meta.unknown.map((path) => `metadata.${path}`), ...unknown],
    error: meta.error,
  }
}

function report(call: Call, problems: readonly string[], mode: FieldValidation, refuse: ReadOptions['refuse']): void {
  if (problems.length === 0) return
  if (mode !== 'Strict') {
    call.warnings.push(...problems.slice(0, 100))
    return
  }
  const message = `strict decoding error: ${problems.join(', ')}`
  throw refuse?.(message) ?? badRequest(cannotBeHandled(call.target.served, message))
}

/** With the namespace and the name of the path. Faults: 400. */
export function inPlace(call: Call, object: AnyResource): AnyResource {
  const { served, namespace, name } = call.target
  const { metadata } = object
  if (served.kind.namespaced && metadata.namespace && metadata.namespace !== namespace) {
    throw badRequest(`the namespace of the provided object does not match the namespace sent on the request`)
  }
  if (name !== '' && metadata.name && metadata.name !== name) {
    throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`)
  }
  const { namespace: _, ...rest } = metadata
  const placed: ObjectMeta = { ...rest, ...(served.kind.namespaced ? { namespace } : {}) }
  return { ...object, metadata: placed }
}

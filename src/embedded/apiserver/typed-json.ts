import { isObject } from '#base/json.ts'
import { setMember } from '#machinery/json-members.ts'
import { formatQuantity, tryParseQuantity } from '#machinery/quantity.ts'
import { type Field, messages, metaPackage } from './go-types.ts'
import { goTime, GoTimeError } from './go-time.ts'
import { printPath } from './strict-json.ts'

/**
 * JSON as Go reads it into the type of one of Kubernetes' own kinds and writes it again: what is not in the type is told
 * and left out, what is of another type is refused in Go's words, what says nothing goes, what Go always writes comes.
 * A cluster does this to every object of these kinds, so that equal objects are equal texts.
 * Source: sigs.k8s.io/json, `decode.go`; apimachinery, `MarshalJSON` of its own types.
 */
export interface TypedRead {
  readonly value: Record<string, unknown>
  /** Paths of what the type does not have, in the order of the document. */
  readonly unknown: readonly string[]
  /** The first thing that is of another type, in the words of Go. */
  readonly error: string | undefined
}

/** Reads an object of the message `name`; its `apiVersion` and `kind` stay as they are. */
export function readTyped(name: string, object: Record<string, unknown>): TypedRead {
  const reading = new Reading()
  const { apiVersion, kind, ...members } = object
  try {
    const value = reading.struct(name, members)
    const head = { ...(apiVersion === undefined ? {} : { apiVersion }), ...(kind === undefined ? {} : { kind }) }
    return { value: { ...head, ...value }, unknown: reading.unknown, error: reading.error }
  } catch (error) {
    if (!(error instanceof Stop)) throw error
    return { value: object, unknown: reading.unknown, error: error.message }
  }
}

/** Ends the reading at once, as the types do that read themselves. */
class Stop extends Error {}

class Reading {
  readonly unknown: string[] = []
  error: string | undefined
  /** Names, indices and keys of the value being read. */
  readonly #path: (string | number)[] = []
  /** The same as Go's errors tell it: fields alone, and inlined structs too. */
  readonly #fields: string[] = []
  #struct = ''

  struct(name: string, value: Record<string, unknown>): Record<string, unknown> {
    const type = structType(name)
    const result: Record<string, unknown> = {}
    const above = this.#struct
    for (const key of Object.keys(value)) {
      const member = type.byName.get(key)
      this.#path.push(key)
      if (member === undefined) this.unknown.push(printPath(this.#path))
      else if (value[key] !== null && value[key] !== undefined) {
        this.#struct = type.printed
        this.#fields.push(...member.inside, key)
        const read = this.#member(member, value[key])
        this.#fields.length -= member.inside.length + 1
        if (!(member.omitsZero && isZero(read))) setMember(result, key, read)
      }
      this.#path.pop()
    }
    this.#struct = above
    for (const member of type.always) {
      if (!Object.hasOwn(result, member.name)) result[member.name] = zeroOf(member)
    }
    return result
  }

  #member(member: Member, value: unknown): unknown {
    if (member.map) {
      if (!isObject(value)) return this.#mismatch(value, member.printed)
      const result: Record<string, unknown> = {}
      for (const key of Object.keys(value)) setMember(result, key, this.#element(member, key, value[key]))
      return result
    }
    if (!member.list) return this.#single(member, member.printed, value)
    if (!Array.isArray(value)) return this.#mismatch(value, member.printed)
    return value.map((item: unknown, i) => this.#element(member, i, item))
  }

  #element(member: Member, at: string | number, value: unknown): unknown {
    this.#path.push(at)
    const read =
      value === null
        ? zeroOf({ ...member, list: false, map: false })
        : this.#single(member, member.printedElement, value)
    this.#path.pop()
    return read
  }

  #single({ type }: Member, printed: string, value: unknown): unknown {
    switch (type) {
      case 's':
        return typeof value === 'string' ? value : this.#mismatch(value, printed)
      case 't':
        return typeof value === 'boolean' ? value : this.#mismatch(value, printed)
      case 'd':
        return typeof value === 'number' ? value : this.#mismatch(value, printed)
      case 'i':
      case 'j':
        return this.#integer(value, type, printed)
      case 'b':
        return typeof value === 'string' ? base64(value) : this.#mismatch(value, printed)
      default:
        return this.#message(type, printed, value)
    }
  }

  #integer(value: unknown, type: 'i' | 'j', printed: string): unknown {
    if (typeof value !== 'number') return this.#mismatch(value, printed)
    const limit = type === 'j' ? 2 ** 31 : 2 ** 63
    return Number.isInteger(value) && value >= -limit && value < limit
      ? value
      : this.#mismatch(value, printed, ` ${value}`)
  }

  #message(type: string, printed: string, value: unknown): unknown {
    const own = readers[type]
    if (own !== undefined) return own(value, (kind) => this.#refusal(value, kind))
    const shape = messages()[type]
    if (shape !== undefined && 'list' in shape && typeof shape.list === 'string') {
      // A list that protobuf has to wrap, such as the values of a user's `extra`.
      if (!Array.isArray(value)) return this.#mismatch(value, printed)
      return value.map((item: unknown) => (typeof item === 'string' ? item : this.#mismatch(item, 'string')))
    }
    return isObject(value) ? this.struct(type, value) : this.#mismatch(value, printed)
  }

  /** Go goes on after such a thing, and tells the first in the end. */
  #mismatch(value: unknown, printed: string, literal = ''): undefined {
    this.error ??= this.#refusal(value, printed, literal)
    return undefined
  }

  #refusal(value: unknown, printed: string, literal = ''): string {
    return `json: cannot unmarshal ${jsonWord(value)}${literal} into Go struct field ${this.#struct}.${this.#fields.join('.')} of type ${printed}`
  }
}

interface Member {
  readonly name: string
  readonly type: string
  readonly list: boolean
  readonly map: boolean
  readonly pointer: boolean
  readonly omitsZero: boolean
  readonly printed: string
  readonly printedElement: string
  /** Types of the inlined structs on the way to it. */
  readonly inside: readonly string[]
}

interface StructType {
  readonly printed: string
  readonly byName: ReadonlyMap<string, Member>
  /** Those that Go writes even where they hold nothing. */
  readonly always: readonly Member[]
}

const structTypes = new Map<string, StructType>()

function structType(name: string): StructType {
  let type = structTypes.get(name)
  if (type === undefined) {
    const members = membersOf(name, [])
    const always = members.filter(({ pointer, omitsZero }) => !pointer && !omitsZero)
    type = { printed: lastPart(name), byName: new Map(members.map((member) => [member.name, member])), always }
    structTypes.set(name, type)
  }
  return type
}

function membersOf(name: string, inside: readonly string[]): Member[] {
  const shape = (messages()[name] ?? {}) as { readonly [number: string]: Field }
  return Object.values(shape).flatMap(([member, type, flags, printed]) => {
    if (flags.includes('~')) return membersOf(type, [...inside, lastPart(type)])
    const list = flags.includes('*')
    const map = flags.includes('%')
    const element = plain[type] ?? type.split('.').slice(-2).join('.')
    const whole = printed ?? `${list || type === 'b' ? '[]' : ''}${map ? 'map[string]' : ''}${element}`
    // A struct that is no pointer is always written, `omitempty` or not; a list, a map and a scalar are not.
    const struct = !list && !map && plain[type] === undefined
    return [
      {
        name: member,
        type,
        list,
        map,
        pointer: flags.includes('^'),
        omitsZero: flags.includes('0') || (flags.includes('?') && !struct),
        printed: whole,
        printedElement: list || map ? whole.replace(/^(?:\[\]|map\[string\])/, '') : whole,
        inside,
      },
    ]
  })
}

/** What a scalar is to Go. */
const plain: Readonly<Record<string, string>> = {
  s: 'string',
  b: 'uint8',
  t: 'bool',
  j: 'int32',
  i: 'int64',
  d: 'float64',
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1)
}

function isZero(value: unknown): boolean {
  if (value === undefined || value === '' || value === 0 || value === false) return true
  if (Array.isArray(value)) return value.length === 0
  return isObject(value) && Object.keys(value).length === 0
}

const scalarZeros: Readonly<Record<string, unknown>> = { s: '', t: false, d: 0, i: 0, j: 0, b: null }

function zeroOf({ type, list, map }: Pick<Member, 'type' | 'list' | 'map'>): unknown {
  if (list || map) return null
  if (Object.hasOwn(scalarZeros, type)) return scalarZeros[type]
  if (Object.hasOwn(ownZeros, type)) return ownZeros[type]
  return Object.fromEntries(structType(type).always.map((member) => [member.name, zeroOf(member)]))
}

const extensions = 'k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.v1'
const quantity = 'k8s.io.apimachinery.pkg.api.resource.Quantity'
const intOrString = 'k8s.io.apimachinery.pkg.util.intstr.IntOrString'
const rawExtension = 'k8s.io.apimachinery.pkg.runtime.RawExtension'

const ownZeros: Readonly<Record<string, unknown>> = {
  [quantity]: '0',
  [intOrString]: 0,
  [rawExtension]: null,
  [`${metaPackage}.Time`]: null,
  [`${metaPackage}.MicroTime`]: null,
  [`${metaPackage}.Duration`]: '0s',
}

/** Types that read themselves. They give the refusal of another type, or stop the reading. */
const readers: Readonly<Record<string, (value: unknown, refusal: (printed: string) => string) => unknown>> = {
  [quantity](value) {
    const read = typeof value === 'string' || typeof value === 'number' ? tryParseQuantity(String(value)) : undefined
    if (read === undefined) throw new Stop(quantityRule)
    return formatQuantity(read)
  },
  [intOrString](value, refusal) {
    if (typeof value === 'string') return value
    if (typeof value !== 'number') throw new Stop(refusal('int32'))
    return value
  },
  [rawExtension]: (value) => value,
  [`${metaPackage}.FieldsV1`]: (value) => value,
  [`${metaPackage}.Time`]: (value, refusal) => time(value, refusal, false),
  [`${metaPackage}.MicroTime`]: (value, refusal) => time(value, refusal, true),
  [`${metaPackage}.Duration`]: (value) => value,
  [`${extensions}.JSON`]: (value) => value,
  [`${extensions}.JSONSchemaPropsOrBool`]: (value) => schemaOr(value, (other) => typeof other === 'boolean'),
  [`${extensions}.JSONSchemaPropsOrArray`]: (value) => schemaOr(value, Array.isArray),
  [`${extensions}.JSONSchemaPropsOrStringArray`]: (value) => schemaOr(value, Array.isArray),
}

const quantityRule = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"

function time(value: unknown, refusal: (printed: string) => string, micro: boolean): string {
  if (typeof value !== 'string') throw new Stop(refusal('string'))
  try {
    return goTime(value, micro)
  } catch (error) {
    if (error instanceof GoTimeError) throw new Stop(error.message)
    throw error
  }
}

function schemaOr(value: unknown, isOther: (value: unknown) => boolean): unknown {
  if (isOther(value)) return value
  if (!isObject(value)) throw new Stop(`boolean or JSON schema expected`)
  const { value: read, error } = readTyped(`${extensions}.JSONSchemaProps`, value)
  if (error !== undefined) throw new Stop(error)
  return read
}

/** The same text, if Go can read it. */
function base64(text: string): string {
  const wrong = wrongByte(text)
  if (wrong !== undefined) throw new Stop(`illegal base64 data at input byte ${wrong}`)
  return text
}

/** Where Go's decoder stops; line breaks do not count. */
function wrongByte(given: string): number | undefined {
  const text = given.replaceAll(/[\r\n]/g, '')
  const end = /[^A-Za-z0-9+/]/.exec(text)?.index ?? text.length
  if (end === text.length) return text.length % 4 === 0 ? undefined : text.length
  const padding = text.slice(end)
  const wanted = end % 4 === 2 ? '==' : end % 4 === 3 ? '=' : undefined
  if (wanted === undefined || !padding.startsWith('=')) return end
  if (padding === wanted) return undefined
  return padding.startsWith(wanted) ? end + wanted.length : padding === '=' ? text.length : end + 1
}

/** What Go calls a JSON value. */
export function jsonWord(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  return typeof value === 'boolean' ? 'bool' : typeof value
}

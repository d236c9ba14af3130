import { Fault } from '#base/fault.ts'
import { setMember } from '#machinery/json-members.ts'
import { type Field, messageName, messages, metaPackage as meta } from './go-types.ts'

/**
 * Reads Kubernetes' protobuf bodies into the JSON they stand for; clients written in Go send them for Kubernetes' own
 * kinds. Answers are JSON, which those clients read too.
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding
 */
export const protobufType = 'application/vnd.kubernetes.protobuf'

const magic = 'k8s\0'
const maxDepth = 64

/** The object in a body, with its apiVersion and kind. Faults: `BadProtobuf`. */
export function decodeProtobuf(bytes: Uint8Array): Record<string, unknown> {
  if (Buffer.from(bytes.subarray(0, 4)).toString('latin1') !== magic) throw bad('it lacks the leading magic number')
  // runtime.Unknown: 1 is the type, 2 the object.
  const envelope = readFields(bytes.subarray(4))
  const type = readFields(bytesOf(envelope.find(({ number }) => number === 1)?.value ?? new Uint8Array()))
  const [apiVersion, kind] = [1, 2].map((wanted) => text(type.find(({ number }) => number === wanted)?.value))
  if (!apiVersion || !kind) throw bad('it does not say its apiVersion and kind')
  const name = messageName(apiVersion, kind)
  if (name === undefined) throw bad(`${kind} in ${apiVersion} is not known in this form; send JSON`)
  const raw = bytesOf(envelope.find(({ number }) => number === 2)?.value ?? new Uint8Array())
  return { apiVersion, kind, ...(message(name, raw, 0) as object) }
}

function message(type: string, bytes: Uint8Array, depth: number): unknown {
  if (depth > maxDepth) throw bad(`it nests deeper than ${maxDepth} levels`)
  const special = specials[type]
  if (special !== undefined) return special(new Map(readFields(bytes).map(({ number, value }) => [number, value])))
  const shape = messages()[type] ?? {}
  if ('list' in shape && typeof shape.list === 'string') {
    const element = shape.list
    return readFields(bytes).map(({ value }) => single(element, value, depth))
  }
  const fields = shape as { readonly [number: string]: Field }
  const object: Record<string, unknown> = {}
  for (const { number, value } of readFields(bytes)) {
    const field = fields[number]
    if (field !== undefined) setField(object, field, value, depth)
  }
  return object
}

function setField(object: Record<string, unknown>, [name, type, flags]: Field, value: Wire, depth: number): void {
  if (flags.includes('%')) {
    const pair = readFields(bytesOf(value))
    const key = text(pair.find(({ number }) => number === 1)?.value)
    const member = single(type, pair.find(({ number }) => number === 2)?.value ?? new Uint8Array(), depth)
    setMember((object[name] ??= {}) as Record<string, unknown>, key, member)
    return
  }
  const decoded = single(type, value, depth)
  if (flags.includes('*')) ((object[name] ??= []) as unknown[]).push(decoded)
  else if (flags.includes('~')) Object.assign(object, decoded)
  else if (decoded !== undefined && !(flags.includes('?') && isZero(decoded))) object[name] = decoded
}

function isZero(value: unknown): boolean {
  return value === '' || value === 0 || value === false
}

function single(type: string, value: Wire, depth: number): unknown {
  switch (type) {
    case 's':
      return text(value)
    case 'b':
      return Buffer.from(bytesOf(value)).toString('base64')
    case 'i':
    case 'j':
      return integer(value)
    case 't':
      return integer(value) !== 0
    case 'd': {
      const bytes = bytesOf(value)
      if (bytes.length !== 8) throw bad('a number is cut short')
      return new DataView(bytes.buffer, bytes.byteOffset, 8).getFloat64(0, true)
    }
    default:
      return message(type, bytesOf(value), depth + 1)
  }
}

type Fields = ReadonlyMap<number, Wire>

/** Messages whose JSON is no object of their fields. */
const specials: Readonly<Record<string, (fields: Fields) => unknown>> = {
  [`${meta}.Time`]: (fields) => time(fields, 0),
  [`${meta}.MicroTime`]: (fields) => time(fields, 6),
  [`${meta}.Duration`]: (fields) => `${integer(fields.get(1) ?? 0) / 1e9}s`,
  [`${meta}.FieldsV1`]: (fields) => json(fields.get(1)),
  'k8s.io.apimachinery.pkg.runtime.RawExtension': (fields) => json(fields.get(1)),
  'k8s.io.apimachinery.pkg.api.resource.Quantity': (fields) => text(fields.get(1)) || '0',
  'k8s.io.apimachinery.pkg.util.intstr.IntOrString': (fields) =>
    integer(fields.get(1) ?? 0) === 1 ? text(fields.get(3)) : integer(fields.get(2) ?? 0),
}

/** A zero time is an empty message, and absent in JSON. */
function time(fields: Fields, digits: number): string | undefined {
  if (fields.size === 0) return undefined
  const ms = integer(fields.get(1) ?? 0) * 1000
  if (Math.abs(ms) > 8.64e15) throw bad('a time is out of range')
  const seconds = new Date(ms).toISOString().slice(0, 19)
  const micros = Math.floor(integer(fields.get(2) ?? 0) / 1000)
  return digits === 0 ? `${seconds}Z` : `${seconds}.${String(micros).padStart(6, '0')}Z`
}

function json(value: Wire | undefined): unknown {
  try {
    return value === undefined ? undefined : (JSON.parse(text(value)) as unknown)
  } catch {
    throw bad('what should be JSON inside is none')
  }
}

/** A varint, or bytes: of a length that is told, of 8 or of 4. */
type Wire = number | Uint8Array

interface WireField {
  readonly number: number
  readonly value: Wire
}

function readFields(bytes: Uint8Array): WireField[] {
  const fields: WireField[] = []
  let at = 0
  const varint = (): number => {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at++]
      if (byte === undefined) throw bad('it is cut short')
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return Number(BigInt.asIntN(64, value))
    }
    throw bad('a number is too long')
  }
  const take = (length: number): Uint8Array => {
    if (length < 0 || at + length > bytes.length) throw bad('it is cut short')
    at += length
    return bytes.subarray(at - length, at)
  }
  while (at < bytes.length) {
    const tag = varint()
    const number = Math.floor(tag / 8)
    switch (tag & 7) {
      case 0:
        fields.push({ number, value: varint() })
        break
      case 1:
        fields.push({ number, value: take(8) })
        break
      case 2:
        fields.push({ number, value: take(varint()) })
        break
      case 5:
        fields.push({ number, value: take(4) })
        break
      default:
        throw bad('it has a field of an unknown wire type')
    }
  }
  return fields
}

function bytesOf(value: Wire): Uint8Array {
  if (typeof value === 'number') throw bad('a number stands where text or a message should')
  return value
}

function integer(value: Wire): number {
  if (typeof value !== 'number') throw bad('text or a message stands where a number should')
  return value
}

function text(value: Wire | undefined): string {
  return value === undefined ? '' : Buffer.from(bytesOf(value)).toString('utf8')
}

function bad(why: string): Fault {
  return new Fault('invalid', 'BadProtobuf', `the body is no Kubernetes protobuf: ${why}`)
}

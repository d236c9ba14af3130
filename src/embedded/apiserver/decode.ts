import { isObject } from '#base/json.ts'
import { messageOf } from '#base/fault.ts'
import { badRequest } from '#machinery/status.ts'
import { requestEntityTooLarge, unsupportedBody } from './failures.ts'
import { jsonError } from '#machinery/json-error.ts'
import { jsonWord } from './typed-json.ts'
import { decodeProtobuf, protobufType } from './protobuf.ts'
import { depthOf, duplicateMembers } from './strict-json.ts'

/** As Kubernetes' API server limits them. */
const maxBodyBytes = 3 * 1024 * 1024
const maxDepth = 512

export interface Body {
  readonly bytes: Uint8Array
  /** Without parameters, lower case; empty when the client named none. */
  readonly mediaType: string
}

export interface Decoded {
  readonly value: unknown
  /** What strict decoding would refuse, such as `duplicate field "spec.replicas"`. */
  readonly problems: readonly string[]
}

/** Reads a body up to the limit. Faults: 413. */
export async function readBody(request: Request): Promise<Body> {
  const mediaType = (request.headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
  if (Number(request.headers.get('content-length') ?? 0) > maxBodyBytes) throw requestEntityTooLarge(maxBodyBytes)
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of (request.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength
    if (size > maxBodyBytes) throw requestEntityTooLarge(maxBodyBytes)
    chunks.push(chunk)
  }
  const [first] = chunks
  return { bytes: chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks), mediaType }
}

const objectTypes = ['application/json', 'application/yaml', protobufType]

export interface DecodeOptions {
  /** Also finds members that are there twice. */
  readonly strict: boolean
  /** Custom objects must say what they are. */
  readonly needsKind?: boolean
  /** The whole of what is said of a body that cannot be read; default: why it cannot. */
  readonly refuse?: (why: string) => string
}

/** JSON, or YAML or protobuf where the client says so. Faults: 400 for what is neither, 415 for anything else. */
export async function decodeObject({ mediaType, bytes }: Body, options: DecodeOptions): Promise<Decoded> {
  const { strict, refuse = (why) => why } = options
  const text = (): string => new TextDecoder().decode(bytes)
  switch (mediaType) {
    case '':
    case 'application/json':
      return withHead(decodeJson(text(), { strict, refuse: (why) => refuse(noHead + why) }), options, text())
    case 'application/yaml':
      return withHead(await decodeYaml(text(), { strict, refuse }), options)
    case protobufType:
      try {
        return { value: decodeProtobuf(bytes), problems: [] }
      } catch (error) {
        throw badRequest(refuse(messageOf(error)))
      }
    default:
      throw unsupportedBody(objectTypes)
  }
}

const noHead = "couldn't get version/kind; json parse error: "
/** What Go looks for first in any object, as it prints it. */
const headType =
  'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'

/** Checks that it can be read what an object is. Faults: 400. */
function withHead(
  decoded: Decoded,
  { needsKind = false, refuse = (why) => why }: DecodeOptions,
  text?: string,
): Decoded {
  const { value } = decoded
  if (value === null && !needsKind) return decoded
  const raw = text ?? JSON.stringify(value)
  if (value === null) throw badRequest(refuse(kindless(raw)))
  if (!isObject(value))
    throw badRequest(refuse(`${noHead}json: cannot unmarshal ${jsonWord(value)} into Go value of type ${headType}`))
  for (const name of ['apiVersion', 'kind']) {
    const member = value[name] ?? ''
    if (typeof member === 'string') continue
    throw badRequest(
      refuse(`${noHead}json: cannot unmarshal ${jsonWord(member)} into Go struct field .${name} of type string`),
    )
  }
  const { apiVersion = '', kind = '' } = value
  if (needsKind && kind === '') throw badRequest(refuse(kindless(raw)))
  if (String(apiVersion).split('/').length > 2) {
    throw badRequest(refuse(`unexpected GroupVersion string: ${String(apiVersion)}`))
  }
  return decoded
}

function kindless(text: string): string {
  return `Object 'Kind' is missing in '${text}'`
}

export function textOf({ bytes }: Body): string {
  return new TextDecoder().decode(bytes)
}

export function decodeJson(text: string, { strict, refuse = (why) => why }: DecodeOptions): Decoded {
  if (depthOf(text) > maxDepth) throw badRequest(refuse(tooDeep(text)))
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw badRequest(refuse(jsonError(text)))
  }
  refusePrototype(text, value)
  const problems = strict ? duplicateMembers(text).map((path) => `duplicate field "${path}"`) : []
  return { value, problems }
}

/** Much deeper than anything in Kubernetes is no JSON to Go's decoder either. */
function tooDeep(text: string): string {
  const why = jsonError(text)
  return why.endsWith('exceeded max depth') ? why : `it nests deeper than ${maxDepth} levels`
}

/** An apply patch: named YAML, yet most clients, kubectl among them, write it as JSON. */
export async function decodeYaml(text: string, { strict, refuse = (why) => why }: DecodeOptions): Promise<Decoded> {
  if (text.trimStart().startsWith('{')) {
    try {
      return decodeJson(text, { strict, refuse })
    } catch (error) {
      if (depthOf(text) > maxDepth) throw error // else it may still be YAML's flow style
    }
  }
  const { parseDocument } = await import('yaml')
  const options = { version: '1.1', schema: 'yaml-1.1', logLevel: 'silent', uniqueKeys: strict } as const
  const document = parseDocument(text, options)
  const [twice, other] = [true, false].map((wanted) =>
    document.errors.find(({ code }) => (code === 'DUPLICATE_KEY') === wanted),
  )
  if (other !== undefined) throw badRequest(refuse(`yaml: ${other.message.split('\n')[0]}`))
  try {
    const value: unknown = document.toJS({ maxAliasCount: 100 })
    const json = JSON.stringify(value) ?? 'null' // dates and such become what JSON can say
    const decoded = decodeJson(json, { strict: false, refuse })
    if (twice === undefined) return decoded
    const [line] = twice.linePos ?? []
    const key = /^[^:\s]+/.exec(text.slice(twice.pos[0]))?.[0] ?? ''
    return {
      ...decoded,
      problems: [
        `yaml: unmarshal errors:\n  line ${line?.line}: key "${key.replaceAll(/["']/g, '')}" already set in map`,
      ],
    }
  } catch (error) {
    throw badRequest(refuse(`yaml: ${messageOf(error)}`))
  }
}

/** `__proto__` is a legal name nowhere in Kubernetes but as a ConfigMap's key, and a trap in this language. */
function refusePrototype(text: string, value: unknown): void {
  if (!text.includes('__proto__') && !text.includes('\\u')) return
  if (hasPrototypeMember(value)) throw badRequest('the body has a member named "__proto__", which is not supported')
}

function hasPrototypeMember(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(hasPrototypeMember)
  if (!isObject(value)) return false
  return Object.hasOwn(value, '__proto__') || Object.values(value).some(hasPrototypeMember)
}

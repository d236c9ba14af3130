import { notAcceptable, noSuchForm } from './failures.ts'

/** What of an object an answer holds. */
type Form = 'object' | 'table' | 'partial' | 'partialList' | 'discovery'

/** How a client wants an answer written. */
export interface Representation {
  readonly form: Form
  /** Of the group of tables and metadata. */
  readonly version: 'v1' | 'v1beta1'
  readonly yaml: boolean
}

export interface Offer {
  /** Beside the object itself. */
  readonly forms: readonly Form[]
  /** Of a watch, which is not written in YAML: named in the refusal, beside what is always written. */
  readonly streamed?: readonly string[]
}

interface MediaRange {
  readonly type: string
  readonly parameters: ReadonlyMap<string, string>
  readonly quality: number
}

const asObject: Representation = { form: 'object', version: 'v1', yaml: false }

/**
 * The first of the client's wishes that we can fulfil. We write JSON and YAML: protobuf and CBOR are passed over, and every
 * client that asks for them names JSON too. Faults: 406.
 */
export function negotiate(accept: string | null, { forms, streamed }: Offer): Representation {
  if (accept === null || accept.trim() === '') return asObject
  const isWatch = streamed !== undefined
  const ranges = accept
    .split(',')
    .map(parseRange)
    .filter((range) => isWritten(range, isWatch))
  for (const range of ranges.sort((a, b) => b.quality - a.quality)) {
    const representation = representationOf(range)
    if (representation === undefined) continue
    if (representation.form === 'object' || forms.includes(representation.form)) return representation
  }
  throw ranges.length === 0 ? notAcceptable(streamed) : noSuchForm()
}

function parseRange(text: string): MediaRange {
  const [type = '', ...rest] = text.split(';').map((part) => part.trim().toLowerCase())
  const parameters = new Map(rest.map((part) => [part.split('=', 1)[0] ?? '', part.slice(part.indexOf('=') + 1)]))
  const quality = Number(parameters.get('q') ?? 1)
  return { type, parameters, quality: Number.isNaN(quality) ? 0 : quality }
}

function isWritten({ type, quality }: MediaRange, isWatch: boolean): boolean {
  const types = ['application/json', '*/*', ...(isWatch ? [] : ['application/yaml'])]
  return quality > 0 && types.includes(type)
}

const transformed: Readonly<Record<string, Form>> = {
  table: 'table',
  partialobjectmetadata: 'partial',
  partialobjectmetadatalist: 'partialList',
}

function representationOf({ type, parameters }: MediaRange): Representation | undefined {
  const yaml = type === 'application/yaml'
  const as = parameters.get('as')
  if (as === undefined) return { ...asObject, yaml }
  const [group, version] = [parameters.get('g'), parameters.get('v')]
  if (as === 'apigroupdiscoverylist') {
    const isKnown = group === 'apidiscovery.k8s.io' && version === 'v2'
    return isKnown ? { form: 'discovery', version: 'v1', yaml } : undefined
  }
  const form = Object.hasOwn(transformed, as) ? transformed[as] : undefined
  if (form === undefined || group !== 'meta.k8s.io' || (version !== 'v1' && version !== 'v1beta1')) return undefined
  return { form, version, yaml }
}

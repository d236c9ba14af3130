/** How a client wants an answer written. */
export const representations = ['object', 'table', 'partial', 'discovery'] as const
export type Representation = (typeof representations)[number]

interface MediaRange {
  readonly type: string
  readonly parameters: ReadonlyMap<string, string>
  readonly quality: number
}

/**
 * The first of the client's wishes that we can fulfil, or undefined (406). We speak JSON alone: protobuf and CBOR are
 * passed over, and every client that asks for them names JSON too.
 * `offered` says which transformations the request allows besides plain JSON.
 */
export function negotiate(accept: string | null, offered: readonly Representation[]): Representation | undefined {
  if (accept === null || accept.trim() === '') return 'object'
  const ranges = accept.split(',').map(parseRange)
  for (const range of ranges.sort((a, b) => b.quality - a.quality)) {
    const representation = representationOf(range)
    if (representation !== undefined && (representation === 'object' || offered.includes(representation))) {
      return representation
    }
  }
  return undefined
}

function parseRange(text: string): MediaRange {
  const [type = '', ...rest] = text.split(';').map((part) => part.trim().toLowerCase())
  const parameters = new Map(rest.map((part) => [part.split('=', 1)[0] ?? '', part.slice(part.indexOf('=') + 1)]))
  const quality = Number(parameters.get('q') ?? 1)
  return { type, parameters, quality: Number.isNaN(quality) ? 0 : quality }
}

function representationOf({ type, parameters, quality }: MediaRange): Representation | undefined {
  if (quality === 0 || !['application/json', 'application/*', '*/*'].includes(type)) return undefined
  const as = parameters.get('as')
  if (as === undefined) return 'object'
  const group = parameters.get('g')
  const version = parameters.get('v')
  if (as === 'apigroupdiscoverylist')
    return group === 'apidiscovery.k8s.io' && version === 'v2' ? 'discovery' : undefined
  if (group !== 'meta.k8s.io' || version !== 'v1') return undefined
  if (as === 'table') return 'table'
  return as === 'partialobjectmetadata' || as === 'partialobjectmetadatalist' ? 'partial' : undefined
}

/** What a registry wants to see: the `WWW-Authenticate` of its 401. */
export type Challenge =
  | { readonly scheme: 'basic' }
  | {
      readonly scheme: 'bearer'
      readonly realm: string
      readonly service: string | undefined
      /** What the registry says the request needs. */
      readonly scope: string | undefined
    }

/** Tokens first: a registry that offers both would rather not see passwords. Undefined for anything else. */
export function parseChallenge(header: string | readonly string[] | undefined): Challenge | undefined {
  const challenges = [header ?? []].flat().flatMap((each) => splitChallenges(each.slice(0, longestHeader)))
  const bearer = challenges.find(({ scheme }) => scheme === 'bearer')
  const realm = bearer?.parameters.get('realm')
  if (bearer !== undefined && realm !== undefined) {
    const { parameters } = bearer
    return { scheme: 'bearer', realm, service: parameters.get('service'), scope: parameters.get('scope') }
  }
  return challenges.some(({ scheme }) => scheme === 'basic') ? { scheme: 'basic' } : undefined
}

interface Split {
  readonly scheme: string
  readonly parameters: ReadonlyMap<string, string>
}

/** No registry has that much to say; looking for quotes in more would take its time. */
const longestHeader = 4096

/** A scheme, or a parameter whose value may be quoted. */
const part = /([a-z][\w-]*)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))|([a-z][\w-]*)/gi

function splitChallenges(header: string): Split[] {
  const found: { scheme: string; parameters: Map<string, string> }[] = []
  for (const [, name, quoted, plain, scheme] of header.matchAll(part)) {
    if (scheme !== undefined) found.push({ scheme: scheme.toLowerCase(), parameters: new Map() })
    else if (name !== undefined) {
      found.at(-1)?.parameters.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? plain ?? '')
    }
  }
  return found
}

/**
 * Walks the text of a JSON document that has already been found well-formed, without building it.
 * Returns paths of members that occur twice, such as `spec.replicas`, at most ten.
 */
export function duplicateMembers(text: string): string[] {
  const found: string[] = []
  const open: { readonly names: Set<string> | undefined; at: string | number }[] = []
  for (let i = 0; i < text.length; i++) {
    const top = open.at(-1)
    switch (text.charCodeAt(i)) {
      case openBrace:
        open.push({ names: new Set(), at: '' })
        break
      case openBracket:
        open.push({ names: undefined, at: 0 })
        break
      case closeBrace:
      case closeBracket:
        open.pop()
        break
      case comma:
        if (top !== undefined && typeof top.at === 'number') top.at++
        break
      case quote: {
        const end = endOfString(text, i)
        if (top?.names !== undefined && isName(text, end)) {
          const raw = text.slice(i, end + 1)
          const name = raw.includes('\\') ? String(JSON.parse(raw)) : raw.slice(1, -1)
          top.at = name
          if (top.names.has(name) && found.length < 10) found.push(printPath(open.map(({ at }) => at)))
          top.names.add(name)
        }
        i = end
        break
      }
      default:
    }
  }
  return found
}

/** How deep objects and lists nest in a text, well-formed or not. */
export function depthOf(text: string): number {
  let depth = 0
  let deepest = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === openBrace || code === openBracket) deepest = Math.max(deepest, ++depth)
    else if (code === closeBrace || code === closeBracket) depth--
    else if (code === quote) i = endOfString(text, i)
  }
  return deepest
}

const quote = 0x22
const comma = 0x2c
const openBracket = 0x5b
const backslash = 0x5c
const closeBracket = 0x5d
const openBrace = 0x7b
const closeBrace = 0x7d

function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let slashes = 0
    while (text.charCodeAt(end - 1 - slashes) === backslash) slashes++
    if (slashes % 2 === 0) return end
  }
  return text.length
}

function isName(text: string, endOfQuoted: number): boolean {
  let i = endOfQuoted + 1
  while (text[i] === ' ' || text[i] === '\n' || text[i] === '\t' || text[i] === '\r') i++
  return text[i] === ':'
}

/** `spec.parts[0].name`: names as they are, whatever is in them. */
export function printPath(steps: readonly (string | number)[]): string {
  return steps
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`))
    .join('')
    .slice(1)
}

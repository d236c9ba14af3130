/**
 * Editing a JSON object as text. Parsing a body and writing it again would lose integers above 2^53 (a `seed`, ids inside
 * `kv_transfer_params`) and cost time for every byte of a prompt, so members are cut out, replaced and joined as bytes;
 * whatever is not edited leaves as it came.
 *
 * The functions assume valid JSON (`JSON.parse` has accepted it) and throw a SyntaxError at most.
 */
export interface Member {
  readonly name: string
  /** As written, quotes and escapes included. */
  readonly key: Buffer
  /** As written. */
  readonly value: Buffer
}

const quote = 0x22
const comma = 0x2c
const openBrace = 0x7b
const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d
const backslash = 0x5c

/** The members of a JSON object, in order, repeated names included. Slices of `text`, nothing is copied. */
export function membersOf(text: Buffer): readonly Member[] {
  const members: Member[] = []
  let at = skipBlanks(text, 0)
  if (text[at] !== openBrace) throw new SyntaxError('not a JSON object')
  at = skipBlanks(text, at + 1)
  while (text[at] !== closeBrace) {
    const key = text.subarray(at, endOfString(text, at))
    const start = skipBlanks(text, skipBlanks(text, at + key.length) + 1) // over the colon
    const end = endOfValue(text, start)
    members.push({ name: nameOf(key), key, value: text.subarray(start, end) })
    at = skipBlanks(text, end)
    if (text[at] === comma) at = skipBlanks(text, at + 1)
  }
  return members
}

/** Replaces a member in its place (all of that name become one), or adds it at the end. */
export function setMember(members: readonly Member[], name: string, value: Buffer | string): readonly Member[] {
  const fresh: Member = { name, key: Buffer.from(JSON.stringify(name)), value: Buffer.from(value) }
  const last = members.findLastIndex((member) => member.name === name)
  if (last < 0) return [...members, fresh]
  return members.flatMap((member, i) => (member.name !== name ? [member] : i === last ? [fresh] : []))
}

export function removeMembers(members: readonly Member[], ...names: readonly string[]): readonly Member[] {
  return members.filter((member) => !names.includes(member.name))
}

/** The value that a parser would see: the last of that name. */
export function valueOf(members: readonly Member[], name: string): Buffer | undefined {
  return members.findLast((member) => member.name === name)?.value
}

export function joinMembers(members: readonly Member[]): Buffer {
  const parts: Buffer[] = []
  for (const { key, value } of members) parts.push(parts.length === 0 ? opening : separator, key, colon, value)
  return parts.length === 0 ? Buffer.from('{}') : Buffer.concat([...parts, closing])
}

const opening = Buffer.from('{')
const separator = Buffer.from(',')
const colon = Buffer.from(':')
const closing = Buffer.from('}')

function nameOf(key: Buffer): string {
  return key.includes(backslash) ? (JSON.parse(key.toString()) as string) : key.toString('utf8', 1, key.length - 1)
}

function skipBlanks(text: Buffer, at: number): number {
  for (let byte = text[at]; byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09; byte = text[at]) at++
  return at
}

/** The index after the closing quote of the string that begins at `start`. */
function endOfString(text: Buffer, start: number): number {
  for (let at = start + 1; ; at++) {
    at = text.indexOf(quote, at)
    if (at < 0 || text[start] !== quote) throw new SyntaxError('unterminated string')
    let escapes = 0
    while (text[at - 1 - escapes] === backslash) escapes++
    if (escapes % 2 === 0) return at + 1
  }
}

/** The index after the JSON value that begins at `start`. */
export function endOfValue(text: Buffer, start: number): number {
  if (text[start] === quote) return endOfString(text, start)
  let depth = 0
  for (let at = start; at < text.length; ) {
    const byte = text[at]
    if (byte === quote) {
      at = endOfString(text, at)
      continue
    }
    const closes = byte === closeBrace || byte === closeBracket
    if (depth === 0 && (closes || byte === comma || byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09))
      return at
    if (byte === openBrace || byte === openBracket) depth++
    else if (closes && --depth === 0) return at + 1
    at++
  }
  if (depth > 0) throw new SyntaxError('unterminated value')
  return text.length
}

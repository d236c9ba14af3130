/** What people write after a flag, in the forms that they know from Kubernetes' own programs. All pure. */
import { InvalidArgumentError } from 'commander'
import { parseDuration } from '#machinery/duration.ts'
import { dns1123LabelErrors } from '#machinery/names.ts'

const maxPort = 65_535

/** Where to listen. */
export interface BindAddress {
  /** Undefined for all addresses of this machine. */
  readonly host: string | undefined
  /** 0 for any free one. */
  readonly port: number
}

/** `host:port`, `[::1]:port`, `:port` for all addresses; `0` for not at all, which is undefined. */
export function bindAddress(text: string): BindAddress | undefined {
  if (text === '0') return undefined
  const [, bracketed, plain, digits = ''] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text) ?? []
  const host = bracketed ?? plain
  if (host === undefined || Number(digits) > maxPort)
    throw new InvalidArgumentError('write HOST:PORT, :PORT for all addresses, or 0 for none.')
  return { host: host === '' ? undefined : host, port: Number(digits) }
}

/** Milliseconds of what Go calls a duration. */
export function durationMs(text: string): number {
  const ms = parseDuration(text)
  if (ms === undefined || ms < 0) throw new InvalidArgumentError('write a duration such as 15s, 1m30s or 500ms.')
  return ms
}

/** Checks a value, and keeps it as it was written, so that its default reads as one would write it. */
export function kept<T>(parse: (text: string) => T): (text: string) => string {
  return (text) => {
    parse(text)
    return text
  }
}

/** `a,b`; a flag that is given again adds to it. */
export function commaSeparated(text: string, before: readonly string[] = []): readonly string[] {
  const items = text.split(',').map((item) => item.trim())
  if (items.includes('')) throw new InvalidArgumentError('write names with commas between them.')
  return [...new Set([...before, ...items])]
}

export function namespaces(text: string, before?: readonly string[]): readonly string[] {
  const names = commaSeparated(text, before)
  const wrong = names.find((name) => dns1123LabelErrors(name).length > 0)
  if (wrong !== undefined) throw new InvalidArgumentError(`${JSON.stringify(wrong)} cannot be a namespace.`)
  return names
}

export function urls(text: string, before?: readonly string[]): readonly string[] {
  const given = commaSeparated(text, before)
  const wrong = given.find((each) => !/^https?:$/.test(URL.parse(each)?.protocol ?? ''))
  if (wrong !== undefined) throw new InvalidArgumentError(`${JSON.stringify(wrong)} is no URL; write http://HOST:PORT.`)
  return given
}

/** As Go reads the value of a flag that may stand alone. */
export function onOrOff(text: string): boolean {
  if (/^(1|t|T|TRUE|true|True)$/.test(text)) return true
  if (/^(0|f|F|FALSE|false|False)$/.test(text)) return false
  throw new InvalidArgumentError('write true or false.')
}

export function atLeastZero(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value) || value < 0)
    throw new InvalidArgumentError('write a number that is not negative.')
  return value
}

export function count(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('write a whole number that is not negative.')
  return Number(text)
}

export function countFromOne(text: string): number {
  if (!/^0*[1-9]\d{0,14}$/.test(text)) throw new InvalidArgumentError('write a whole number from 1 up.')
  return Number(text)
}

export function port(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > maxPort)
    throw new InvalidArgumentError(`a port is a number from 0 to ${maxPort}.`)
  return Number(text)
}

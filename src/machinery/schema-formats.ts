import { isIPv4, isIPv6 } from 'node:net'
import { isDurationFormat } from './duration.ts'

type StringCheck = (value: string) => boolean

const matches =
  (pattern: RegExp): StringCheck =>
  (value) =>
    pattern.test(value)
const uuid = (version: string, variant: string) =>
  matches(new RegExp(`^[0-9a-f]{8}-?[0-9a-f]{4}-?${version}[0-9a-f]{3}-?${variant}[0-9a-f]{3}-?[0-9a-f]{12}$`, 'i'))
const hex = '[0-9a-f]'
const shortName = matches(/^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/)

/**
 * The formats of strings that an API server checks; all others are only documentation. Hyphens in names do not count.
 * Left out, because no field of ours or of Kubernetes has them: bsonobjectid, isbn, creditcard, ssn, rgbcolor.
 * Source: apiextensions-apiserver, `pkg/apiserver/validation/formats.go`.
 */
const stringFormats: ReadonlyMap<string, StringCheck> = new Map<string, StringCheck>([
  ['byte', matches(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/)],
  ['cidr', isCidr],
  ['date', isDate],
  ['datetime', isDateTime],
  ['duration', isDurationFormat],
  ['email', matches(/^(?:[^<>@]*<)?[^\s@<>]+@[^\s@<>]+>?$/)],
  ['hexcolor', matches(/^#?(?:[0-9a-f]{3}|[0-9a-f]{6})$/i)],
  ['hostname', isHostname],
  ['ipv4', isIPv4],
  ['ipv6', isIPv6],
  ['k8slongname', (value) => value.length <= 253 && value.split('.').every(shortName)],
  ['k8sshortname', (value) => value.length <= 63 && shortName(value)],
  ['mac', matches(/^[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}$|^[0-9a-f]{4}(?:\.[0-9a-f]{4}){2}$/i)],
  ['uri', (value) => value.startsWith('/') || URL.canParse(value)],
  ['uuid', uuid(hex, hex)],
  ['uuid3', uuid('3', hex)],
  ['uuid4', uuid('4', '[89ab]')],
  ['uuid5', uuid('5', '[89ab]')],
])

/** The check for a format of strings; `undefined` where an API server checks nothing. */
export function stringFormat(name: string): StringCheck | undefined {
  return stringFormats.get(name.replaceAll('-', ''))
}

const daysOfMonth = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** `2006-01-02`, and a day that exists. */
function isDate(value: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(value)) return false
  const [year, month, day] = [Number(value.slice(0, 4)), Number(value.slice(5, 7)), Number(value.slice(8))]
  if (month < 1 || month > 12 || day < 1) return false
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  return day <= (month === 2 && isLeap ? 29 : (daysOfMonth[month - 1] ?? 0))
}

/** RFC 3339 with a time zone; leap seconds are not accepted. */
function isDateTime(value: string): boolean {
  const match = /^(\d{4}-\d{2}-\d{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})$/.exec(
    value,
  )
  if (match === null) return false
  const [, date = '', hours = '', minutes = '', seconds = ''] = match
  return isDate(date) && hours <= '23' && minutes <= '59' && seconds <= '59'
}

function isCidr(value: string): boolean {
  const [address = '', bits = '', ...rest] = value.split('/')
  if (rest.length > 0 || !/^\d{1,3}$/.test(bits)) return false
  return (isIPv4(address) && Number(bits) <= 32) || (isIPv6(address) && Number(bits) <= 128)
}

const hostLabel = /^[\p{L}\p{S}0-9](?:[-\p{L}\p{S}0-9]{0,61}[\p{L}\p{S}0-9])?$/u

function isHostname(value: string): boolean {
  return value.length <= 255 && value.split('.').every((label) => hostLabel.test(label))
}

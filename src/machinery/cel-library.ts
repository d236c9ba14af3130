import { type Environment, EvaluationError, Optional } from '@marcbachmann/cel-js'
import {
  dns1035LabelErrors,
  dns1123LabelErrors,
  dns1123SubdomainErrors,
  labelValueErrors,
  qualifiedNameErrors,
} from './names.ts'
import {
  addQuantities,
  compareQuantities,
  parseQuantity,
  type Quantity,
  subtractQuantities,
  tryParseQuantity,
} from './quantity.ts'
import { compileRe2, type Re2 } from './re2.ts'
import { stringFormat } from './schema-formats.ts'

/**
 * The functions that Kubernetes adds to CEL and the library lacks:
 * https://kubernetes.io/docs/reference/using-api/cel/#cel-options-language-features-and-libraries
 * Absent: authorizer, IP and CIDR objects, semantic versions, two-variable comprehensions.
 */
export function addKubernetesLibrary(env: Environment): void {
  const add = (signature: string, handler: (...args: never[]) => unknown): void => {
    env.registerFunction(signature, handler as (...args: unknown[]) => unknown, { async: false })
  }
  addLists(add)
  addStrings(add)
  addQuantityFunctions(env, add)
  addUrls(env, add)
  addFormats(env, add)
  addSets(env, add)
}

type Add = (signature: string, handler: (...args: never[]) => unknown) => void
type Scalar = bigint | number | string | boolean | Date

const lessOrEqual = (a: Scalar, b: Scalar): boolean => a <= b

function addLists(add: Add): void {
  add('list<T>.isSorted(): bool', (list: Scalar[]) =>
    list.every((x, i) => i === 0 || lessOrEqual(list[i - 1] as Scalar, x)),
  )
  add('list<T>.min(): T', (list: Scalar[]) => nonEmpty(list, 'min').reduce((a, b) => (lessOrEqual(a, b) ? a : b)))
  add('list<T>.max(): T', (list: Scalar[]) => nonEmpty(list, 'max').reduce((a, b) => (lessOrEqual(a, b) ? b : a)))
  add('list<T>.sum(): T', (list: (bigint & number)[]) =>
    list.length === 0 ? 0n : list.reduce((a, b) => (a + b) as never),
  )
  add('list<T>.indexOf(T): int', (list: unknown[], item: unknown) =>
    BigInt(list.findIndex((one) => sameValue(one, item))),
  )
  add('list<T>.lastIndexOf(T): int', (list: unknown[], item: unknown) =>
    BigInt(list.findLastIndex((one) => sameValue(one, item))),
  )
}

function nonEmpty<T>(list: T[], name: string): T[] {
  if (list.length === 0) throw new EvaluationError(`${name} called on empty list`)
  return list
}

function sameValue(a: unknown, b: unknown): boolean {
  return a === b || (typeof a === 'object' && toText(a) === toText(b))
}

function toText(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? Number(part) : part)) ?? ''
}

function addStrings(add: Add): void {
  add(`string.${guardedMatches}(string): bool`, (text: string, pattern: string) => regexp(pattern).test(text))
  add('string.find(string): string', (text: string, pattern: string) => regexp(pattern).findAll(text, 1)[0] ?? '')
  add('string.findAll(string): list<string>', (text: string, pattern: string) => findAll(text, pattern, -1n))
  add('string.findAll(string, int): list<string>', (text: string, pattern: string, limit: bigint) =>
    findAll(text, pattern, limit),
  )
  add('string.charAt(int): string', (text: string, at: bigint) => {
    const points = Array.from(text)
    if (at < 0n || at > BigInt(points.length)) throw new EvaluationError(`index out of range: ${at}`)
    return points[Number(at)] ?? ''
  })
  add('string.replace(string, string): string', (text: string, from: string, to: string) => text.split(from).join(to))
  add('string.replace(string, string, int): string', (text: string, from: string, to: string, limit: bigint) => {
    const parts = text.split(from)
    const count = limit < 0n ? parts.length - 1 : Math.min(Number(limit), parts.length - 1)
    return (
      parts.slice(0, count + 1).join(to) +
      parts
        .slice(count + 1)
        .map((part) => from + part)
        .join('')
    )
  })
}

/** What `matches` is called here, so that patterns of RE2 run as such: the library's own backtracks. */
export const guardedMatches = 'matchesRe2'

function regexp(pattern: string): Re2 {
  const compiled = compileRe2(pattern)
  if (compiled === undefined) throw new EvaluationError(`invalid regular expression: ${pattern}`)
  return compiled
}

function findAll(text: string, pattern: string, limit: bigint): string[] {
  return regexp(pattern).findAll(text, limit < 0n ? Number.POSITIVE_INFINITY : Number(limit))
}

class CelQuantity {
  readonly quantity: Quantity
  constructor(quantity: Quantity) {
    this.quantity = quantity
  }
}

function addQuantityFunctions(env: Environment, add: Add): void {
  const type = 'kubernetes.Quantity'
  const billion = 1_000_000_000n
  env.registerType(type, CelQuantity)
  env.registerOperator(
    `${type} == ${type}`,
    (a: CelQuantity, b: CelQuantity) => compareQuantities(a.quantity, b.quantity) === 0,
  )
  add('isQuantity(string): bool', (text: string) => tryParseQuantity(text) !== undefined)
  add(`quantity(string): ${type}`, (text: string) => new CelQuantity(parseQuantity(text)))
  const compare = (a: CelQuantity, b: CelQuantity) => compareQuantities(a.quantity, b.quantity)
  add(`${type}.compareTo(${type}): int`, (a: CelQuantity, b: CelQuantity) => BigInt(compare(a, b)))
  add(`${type}.isLessThan(${type}): bool`, (a: CelQuantity, b: CelQuantity) => compare(a, b) < 0)
  add(`${type}.isGreaterThan(${type}): bool`, (a: CelQuantity, b: CelQuantity) => compare(a, b) > 0)
  add(`${type}.sign(): int`, ({ quantity: { nanos } }: CelQuantity) => (nanos === 0n ? 0n : nanos > 0n ? 1n : -1n))
  add(`${type}.isInteger(): bool`, ({ quantity }: CelQuantity) => quantity.nanos % billion === 0n)
  add(`${type}.asApproximateFloat(): double`, ({ quantity }: CelQuantity) => Number(quantity.nanos) / 1e9)
  add(`${type}.asInteger(): int`, ({ quantity }: CelQuantity) => {
    if (quantity.nanos % billion !== 0n) throw new EvaluationError('cannot convert value to integer')
    return quantity.nanos / billion
  })
  const units = (count: bigint): Quantity => ({ nanos: count * billion, format: 'DecimalSI' })
  for (const [name, combine] of [
    ['add', addQuantities],
    ['sub', subtractQuantities],
  ] as const) {
    add(
      `${type}.${name}(${type}): ${type}`,
      (a: CelQuantity, b: CelQuantity) => new CelQuantity(combine(a.quantity, b.quantity)),
    )
    add(`${type}.${name}(int): ${type}`, (a: CelQuantity, b: bigint) => new CelQuantity(combine(a.quantity, units(b))))
  }
}

class CelUrl {
  readonly url: URL
  constructor(url: URL) {
    this.url = url
  }
}

/** As Go's `url.ParseRequestURI`: absolute, or a path. */
function parseUrl(text: string): URL | undefined {
  if (text.startsWith('/')) return URL.parse(text, 'relative://') ?? undefined
  return URL.parse(text) ?? undefined
}

function addUrls(env: Environment, add: Add): void {
  const type = 'kubernetes.URL'
  env.registerType(type, CelUrl)
  add('isURL(string): bool', (text: string) => parseUrl(text) !== undefined)
  add(`url(string): ${type}`, (text: string) => {
    const url = parseUrl(text)
    if (url === undefined) throw new EvaluationError(`URL parse error during conversion from string: ${text}`)
    return new CelUrl(url)
  })
  add(`${type}.getScheme(): string`, ({ url }: CelUrl) =>
    url.protocol === 'relative:' ? '' : url.protocol.slice(0, -1),
  )
  add(`${type}.getHost(): string`, ({ url }: CelUrl) => url.host)
  add(`${type}.getHostname(): string`, ({ url }: CelUrl) => url.hostname.replace(/^\[(.*)\]$/, '$1'))
  add(`${type}.getPort(): string`, ({ url }: CelUrl) => url.port)
  add(`${type}.getEscapedPath(): string`, ({ url }: CelUrl) => url.pathname)
  add(`${type}.getQuery(): map<string, list<string>>`, ({ url }: CelUrl) =>
    Object.fromEntries([...url.searchParams.keys()].map((key) => [key, url.searchParams.getAll(key)])),
  )
}

class FormatNamespace {
  readonly name = 'format'
}
class NamedFormat {
  readonly check: (text: string) => string[]
  constructor(check: (text: string) => string[]) {
    this.check = check
  }
}

const namedFormats: Readonly<Record<string, (text: string) => string[]>> = {
  dns1123Label: dns1123LabelErrors,
  dns1123Subdomain: dns1123SubdomainErrors,
  dns1035Label: dns1035LabelErrors,
  qualifiedName: qualifiedNameErrors,
  labelValue: labelValueErrors,
  ...Object.fromEntries(
    ['uri', 'uuid', 'byte', 'date', 'datetime'].map((name) => [
      name,
      (text: string) => (stringFormat(name)?.(text) === true ? [] : [`invalid ${name}`]),
    ]),
  ),
}

/** `!format.dns1123Label().validate(self.name).hasValue()`: the optional holds what is wrong. */
function addFormats(env: Environment, add: Add): void {
  env.registerType('kubernetes.NamedFormat', NamedFormat)
  env.registerType('kubernetes.Formats', FormatNamespace)
  env.registerConstant('format', 'kubernetes.Formats', new FormatNamespace())
  for (const [name, check] of Object.entries(namedFormats)) {
    const format = new NamedFormat(check)
    add(`kubernetes.Formats.${name}(): kubernetes.NamedFormat`, () => format)
  }
  add('kubernetes.NamedFormat.validate(string): optional<list<string>>', ({ check }: NamedFormat, text: string) => {
    const errors = check(text)
    return errors.length === 0 ? Optional.none() : Optional.of(errors)
  })
}

class SetsNamespace {
  readonly name = 'sets'
}

function addSets(env: Environment, add: Add): void {
  env.registerType('kubernetes.Sets', SetsNamespace)
  env.registerConstant('sets', 'kubernetes.Sets', new SetsNamespace())
  const within = (a: unknown[], b: unknown[]) => a.every((one) => b.some((other) => sameValue(one, other)))
  add('kubernetes.Sets.contains(list, list): bool', (_: unknown, a: unknown[], b: unknown[]) => within(b, a))
  add(
    'kubernetes.Sets.equivalent(list, list): bool',
    (_: unknown, a: unknown[], b: unknown[]) => within(a, b) && within(b, a),
  )
  add('kubernetes.Sets.intersects(list, list): bool', (_: unknown, a: unknown[], b: unknown[]) =>
    a.some((one) => b.some((other) => sameValue(one, other))),
  )
}

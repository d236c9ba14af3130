/**
 * What names, labels and annotations may look like. Each check returns what is wrong, in Kubernetes' words; an empty
 * list means that the value is fine. Source: apimachinery, `pkg/util/validation`.
 */
type NameCheck = (value: string) => string[]

interface NameRule {
  readonly pattern: string
  readonly maxBytes: number
  /** How a name that is too long is told to be so: older rules speak of characters. */
  readonly unit?: 'characters'
  readonly message: string
  readonly examples: readonly string[]
}

const label1123 = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
const qualifiedName = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'

const dns1123SubdomainRule: NameRule = {
  pattern: `${label1123}(\\.${label1123})*`,
  maxBytes: 253,
  unit: 'characters',
  message:
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
  examples: ['example.com'],
}
const dns1123Subdomain = nameCheck(dns1123SubdomainRule)
const labelPrefix = nameCheck(inBytes(dns1123SubdomainRule))

const dns1123LabelRule: NameRule = {
  pattern: label1123,
  maxBytes: 63,
  unit: 'characters',
  message:
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
  examples: ['my-name', '123-abc'],
}
const dns1123Label = nameCheck(dns1123LabelRule)

function inBytes({ unit: _, ...rule }: NameRule): NameRule {
  return rule
}

/** Names of most objects: `a.b-c`, at most 253 characters. */
export const dns1123SubdomainErrors: NameCheck = dns1123Subdomain

/** Names of pods' hosts and of namespaces: `a-b`, at most 63 characters. */
export function dns1123LabelErrors(value: string): string[] {
  const errors = dns1123Label(value)
  const dotted = value.includes('.') && dns1123Subdomain(value).length === 0
  return dotted ? [...errors.filter((error) => error.startsWith('must be')), 'must not contain dots'] : errors
}

/** Names of services: as a label, and beginning with a letter. */
export const dns1035LabelErrors: NameCheck = nameCheck({
  pattern: '[a-z]([-a-z0-9]*[a-z0-9])?',
  maxBytes: 63,
  unit: 'characters',
  message:
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
  examples: ['my-name', 'abc-123'],
})

export const labelValueErrors: NameCheck = nameCheck({
  pattern: `(${qualifiedName})?`,
  maxBytes: 63,
  message:
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  examples: ['MyValue', 'my_value', '12345'],
})

const qualifiedRule: NameRule = {
  pattern: qualifiedName,
  maxBytes: 63,
  message:
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  examples: ['MyName', 'my.name', '123-abc'],
}
const namePart = nameCheck(qualifiedRule)

/** What no path of the API can hold. */
export const pathSegmentErrors: NameCheck = (value) => {
  if (value === '.' || value === '..') return [`may not be '${value}'`]
  return ['/', '%'].filter((part) => value.includes(part)).map((part) => `may not contain '${part}'`)
}

/** Names of ports: short, with a letter, and no hyphens side by side. */
export const portNameErrors: NameCheck = (value) => {
  const errors: string[] = []
  if (value.length > 15) errors.push('must be no more than 15 characters')
  if (!/^[-a-z0-9]+$/.test(value)) errors.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)')
  if (!/[a-z]/.test(value)) errors.push('must contain at least one letter (a-z)')
  if (value.includes('--')) errors.push('must not contain consecutive hyphens')
  if (value.startsWith('-') || value.endsWith('-')) errors.push('must not begin or end with a hyphen')
  return errors
}

/** Keys in a ConfigMap or Secret, which become names of files. */
export const configKeyErrors: NameCheck = (value) => {
  const errors = configKey(value)
  if (value === '.' || value === '..') return [...errors, `must not be '${value}'`]
  return value.startsWith('..') ? [...errors, `must not start with '..'`] : errors
}

const configKey = nameCheck({
  pattern: '[-._a-zA-Z0-9]+',
  maxBytes: 253,
  unit: 'characters',
  message: "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
  examples: ['key.name', 'KEY_NAME', 'key-name'],
})

/** Keys of labels and annotations, and finalizers: `name` or `prefix.example.com/name`. */
export function qualifiedNameErrors(value: string): string[] {
  const parts = value.split('/')
  if (parts.length > 2) {
    return [
      `a valid label key ${explain(qualifiedRule)} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ]
  }
  const name = parts.at(-1) ?? ''
  const prefix = parts.length === 2 ? parts[0] : undefined
  const errors: string[] = []
  if (prefix === '') errors.push('prefix part must be non-empty')
  else if (prefix !== undefined) errors.push(...labelPrefix(prefix).map((error) => `prefix part ${error}`))
  if (name === '') errors.push('name part must be non-empty')
  errors.push(...namePart(name).map((error) => `name part ${error}`))
  return errors
}

function nameCheck(rule: NameRule): NameCheck {
  const pattern = new RegExp(`^${rule.pattern}$`)
  return (value) => {
    const errors: string[] = []
    if (value.length > rule.maxBytes) errors.push(`must be no more than ${rule.maxBytes} ${rule.unit ?? 'bytes'}`)
    // The patterns backtrack quadratically; what is far too long is not worth matching.
    if (value.length > 4096 || !pattern.test(value)) errors.push(explain(rule))
    return errors
  }
}

function explain({ message, examples, pattern }: NameRule): string {
  const quoted = examples.map((example) => `'${example}'`).join(',  or ')
  return `${message} (e.g. ${quoted}, regex used for validation is '${pattern}')`
}

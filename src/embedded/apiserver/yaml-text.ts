import { isObject } from '#base/json.ts'

/** JSON values as YAML in block style, members sorted: a few lines, against a library that would load with the server. */
export function yamlText(value: unknown): string {
  return isNested(value) ? `${lines(value).join('\n')}\n` : `${scalar(value)}\n`
}

function isNested(value: unknown): value is object {
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0
}

function lines(value: object): string[] {
  if (Array.isArray(value)) return value.flatMap(itemLines)
  const names = Object.keys(value).sort()
  return names.flatMap((name) => memberLines(name, (value as Record<string, unknown>)[name]))
}

function itemLines(item: unknown): string[] {
  if (!isNested(item)) return [`- ${scalar(item)}`]
  return lines(item).map((line, i) => `${i === 0 ? '- ' : '  '}${line}`)
}

function memberLines(name: string, value: unknown): string[] {
  const key = `${text(name)}:`
  if (!isNested(value)) return [`${key} ${scalar(value)}`]
  return [key, ...lines(value).map((line) => (Array.isArray(value) ? line : `  ${line}`))]
}

function scalar(value: unknown): string {
  if (Array.isArray(value)) return '[]'
  if (isObject(value)) return '{}'
  return typeof value === 'string' ? text(value) : JSON.stringify(value ?? null)
}

/** Plain where it can be nothing but a text, else in quotes; some readers take `e0` for a number. */
function text(value: string): string {
  const plain = /^[A-Za-z][\w./-]*$/.test(value) && !/^(?:y|n|yes|no|on|off|true|false|null|e-?\d.*)$/i.test(value)
  return plain ? value : JSON.stringify(value)
}

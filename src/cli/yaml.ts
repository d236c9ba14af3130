import { stringify } from 'yaml'

/** For people and kubectl: a text such as `yes` is in quotes, and no line is folded. */
export function yamlOf(value: unknown): string {
  return stringify(value, { version: '1.1', aliasDuplicateObjects: false, lineWidth: 0 })
}

/** Each as a document of its own. */
export function yamlDocuments(objects: readonly object[]): string {
  return objects.map((object) => `---\n${yamlOf(object)}`).join('')
}

/** What `apply -f` takes again. */
export function manifestOf(objects: readonly object[], form: 'yaml' | 'json'): string {
  if (form === 'yaml') return yamlDocuments(objects)
  return `${JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }, null, 2)}\n`
}

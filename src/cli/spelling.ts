import { resourceSchemaOf } from '#machinery/object-meta-schema.ts'
import { memberSchema } from '#machinery/schema-prune.ts'
import type { StructuralSchema } from '#machinery/structural-schema.ts'

/** What to do about a field such as `spec.backends[0].modelUri` that the schema of its object does not have. */
export function unknownDetail(field: string, schema: StructuralSchema): string {
  const names = field.match(/[^.[\]]+/g) ?? []
  const last = names.pop() ?? ''
  const parent = names.reduce<StructuralSchema | undefined>(
    (above, name) => (/^\d+$/.test(name) && above?.items !== undefined ? above.items : memberSchema(above, name)),
    resourceSchemaOf(schema),
  )
  const meant = nearest(last, Object.keys(parent?.properties ?? {}))
  return `unknown field: ${meant === undefined ? 'check its spelling and its place' : `did you mean ${meant}?`}`
}

/** The word that a slip of the finger or two, or of the Shift key, may have turned into `typed`. */
function nearest(typed: string, words: readonly string[]): string | undefined {
  const [best] = words
    .map((word) => ({ word, slips: distance(typed.toLowerCase(), word.toLowerCase()) }))
    .filter(({ word, slips }) => slips <= Math.min(2, Math.ceil(word.length / 3)))
    .toSorted((a, b) => a.slips - b.slips)
  return best?.word
}

/** How many letters have to be added, dropped or changed (Levenshtein). */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, at) => at)
  for (let at = 0; at < from.length; at++) {
    const next = [at + 1]
    for (let i = 0; i < to.length; i++)
      next.push(Math.min((next[i] ?? 0) + 1, (row[i + 1] ?? 0) + 1, (row[i] ?? 0) + (from[at] === to[i] ? 0 : 1)))
    row = next
  }
  return row.at(-1) ?? 0
}

/** The chart's values as operators read them, and the schema by which Helm checks theirs. */
import { z } from 'zod'
import { isObject } from '#base/json.ts'
import { defaultValues, Values } from './values.ts'
import { yaml } from './yaml.ts'

/** An older draft than today's, which every Helm 3 understands. */
const schema = z.toJSONSchema(Values, { target: 'draft-7', io: 'input' })

export function valuesSchema(): string {
  return `${JSON.stringify(schema, undefined, 2)}\n`
}

/** All defaults, each under what its description says. */
export function valuesYaml(): string {
  return membersOf(schema, defaultValues, 0).join('\n').concat('\n')
}

function membersOf({ properties = {} }: z.core.JSONSchema.BaseSchema, values: object, depth: number): string[] {
  const pad = '  '.repeat(depth)
  return Object.entries(values).flatMap(([name, value]: [string, unknown]) => {
    const member = properties[name]
    if (typeof member !== 'object') throw new TypeError(`${name} is not in the schema`)
    const comment = member.description === undefined ? [] : [`${pad}# ${member.description}`]
    // Closed objects are ours to explain; open ones are handed on as they are.
    if (member.additionalProperties === false && isObject(value))
      return [...comment, `${pad}${name}:`, ...membersOf(member, value, depth + 1)]
    return [
      ...comment,
      ...yaml({ [name]: value })
        .trimEnd()
        .split('\n')
        .map((line) => pad + line),
    ]
  })
}

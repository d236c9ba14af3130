import { type FieldError, invalidValue } from '#machinery/field-error.ts'
import { compileRe2 } from '#machinery/re2.ts'
import type { ModelRoute, StringMatch } from './model-route.ts'

/** A regular expression that does not compile matches nothing, so the rule that has it is never taken. */
export function checkModelRoute(route: ModelRoute): FieldError[] {
  return matchesOf(route).flatMap(([field, { regex }]) =>
    regex === undefined || compileRe2(regex) !== undefined
      ? []
      : [invalidValue(`${field}.regex`, regex, 'is not a regular expression in RE2 syntax')],
  )
}

export function warnModelRoute(route: ModelRoute): FieldError[] {
  return matchesOf(route).flatMap(([field, match]) => {
    const given = Object.keys(match)
    return given.length < 2
      ? []
      : [invalidValue(field, match, `only one of ${given.join(', ')} is used; keep that one`)]
  })
}

function matchesOf({ spec }: ModelRoute): [path: string, match: StringMatch][] {
  return spec.rules.flatMap(({ modelMatch }, i) => {
    const path = `spec.rules[${i}].modelMatch`
    const headers = Object.entries(modelMatch?.headers ?? {}).map(([name, match]): [string, StringMatch] => [
      `${path}.headers[${name}]`,
      match,
    ])
    return modelMatch?.uri === undefined ? headers : [...headers, [`${path}.uri`, modelMatch.uri]]
  })
}

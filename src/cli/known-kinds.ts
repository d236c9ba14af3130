import { coreKinds } from '#api/core/kinds.ts'
import { legacyKinds } from '#api/family-kinds.ts'
import { ownKinds } from '#api/kinds.ts'
import { apiVersionOf, type Kind, resourceName } from '#machinery/kind.ts'
import type { Resource } from '#machinery/meta.ts'
import { usage } from './exit.ts'

export const knownKinds: readonly Kind[] = [...ownKinds, ...legacyKinds, ...coreKinds]

/** The kind that a user calls `modelboosters`, `ModelBooster`, `po` or `modelboosters.workload.serving.volcano.sh`. */
function kindNamed(name: string): Kind {
  const wanted = name.toLowerCase()
  const kind = knownKinds.find(
    (each) =>
      [each.plural, each.singular, each.kind.toLowerCase(), ...each.shortNames].includes(wanted) ||
      wanted === resourceName(each),
  )
  if (kind === undefined) {
    const known = [...new Set(knownKinds.map((each) => each.plural))].join(', ')
    throw usage(`no kind is called ${name}; fairlead knows ${known} (for others use kubectl)`)
  }
  return kind
}

/** As kubectl names the type of one object: `modelbooster.workload.serving.volcano.sh`, `pod`. */
export function typeOf({ singular, group }: Kind): string {
  return resourceName({ plural: singular, group })
}

export function kindOfObject({ apiVersion, kind }: Pick<Resource, 'apiVersion' | 'kind'>): Kind | undefined {
  return knownKinds.find((each) => each.kind === kind && apiVersionOf(each) === apiVersion)
}

/** `kind/name`, or a kind and names beside it. */
export function parseTarget(what: string, names: readonly string[]): { kind: Kind; names: readonly string[] } {
  const [kind = '', name, ...rest] = what.split('/')
  if (rest.length > 0 || (name !== undefined && names.length > 0))
    throw usage(`write KIND/NAME or KIND NAME, not ${[what, ...names].join(' ')}`)
  return { kind: kindNamed(kind), names: name === undefined ? names : [name] }
}

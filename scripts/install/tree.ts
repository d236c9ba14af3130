/**
 * Manifests with holes. One tree has two readings: `resolve` fills the holes with values, which gives the objects that
 * the plain manifests hold, and `template` writes them as expressions of Helm, which gives the chart. A hole carries
 * both forms, so that what an operator gets by either way is the same; a test compares them through Helm itself.
 */
import { defaultValues, type Values } from './values.ts'

/** What a hole is filled from. */
export interface Scope {
  readonly values: Values
  /** Where Fairlead is installed. */
  readonly namespace: string
  readonly version: string
  /** Within `each`. */
  readonly item?: string
}

/** No member of a Kubernetes object begins with `$`, so these cannot be mistaken for one. */
export interface Hole {
  readonly $fill: (scope: Scope) => unknown
  /** An expression, without the braces. */
  readonly helm: string
  readonly shape: 'text' | 'number' | 'flag' | 'structure'
}

/** There only if the condition is neither false nor empty. */
export interface When {
  readonly $when: Hole
  readonly only: Tree
}

/** A document for each item of a list of texts. */
export interface Each {
  readonly $each: Hole
  readonly of: Tree
}

export type Tree =
  | string
  | number
  | boolean
  | Hole
  | When
  | Each
  | readonly Tree[]
  | { readonly [member: string]: Tree }

/** A member of this name stands for all members of a structure. */
export const more = '$more'

export const isHole = (tree: Tree): tree is Hole => typeof tree === 'object' && '$fill' in tree
export const isWhen = (tree: Tree): tree is When => typeof tree === 'object' && '$when' in tree
export const isEach = (tree: Tree): tree is Each => typeof tree === 'object' && '$each' in tree

/** A value of the chart's. */
export function value(pick: (values: Values) => unknown): Hole {
  return { $fill: ({ values }) => pick(values), helm: `$.Values.${pathOf(pick)}`, shape: shapeOf(pick(defaultValues)) }
}

/** Where Fairlead is installed. */
export const namespace: Hole = { $fill: (scope) => scope.namespace, helm: '$.Release.Namespace', shape: 'text' }

export const version: Hole = { $fill: (scope) => scope.version, helm: '$.Chart.AppVersion', shape: 'text' }

/** The item of the `each` around it. */
export const item: Hole = { $fill: (scope) => scope.item, helm: '$item', shape: 'text' }

export const when = ($when: Hole, only: Tree): When => ({ $when, only })

export const each = ($each: Hole, of: Tree): Each => ({ $each, of })

export const not = (hole: Hole): Hole => ({
  $fill: (scope) => !isSet(hole.$fill(scope)),
  helm: `not ${operand(hole)}`,
  shape: 'flag',
})

export const firstSet = (hole: Hole, otherwise: Hole): Hole => ({
  $fill: (scope) => (isSet(hole.$fill(scope)) ? hole.$fill(scope) : otherwise.$fill(scope)),
  helm: `default ${operand(otherwise)} ${operand(hole)}`,
  shape: hole.shape,
})

/** A list of texts, with commas between. */
export const joined = (hole: Hole): Hole => ({
  $fill: (scope) => (hole.$fill(scope) as readonly string[]).join(','), // as its schema has it
  helm: `join "," ${operand(hole)}`,
  shape: 'text',
})

export const plus = (hole: Hole, more: number): Hole => ({
  $fill: (scope) => Number(hole.$fill(scope)) + more,
  helm: `add ${operand(hole)} ${more}`,
  shape: 'number',
})

/** Text around holes. */
export function text(parts: TemplateStringsArray, ...holes: readonly Hole[]): Hole {
  const format = parts.map((part) => part.replaceAll('%', '%%')).join('%v')
  return {
    $fill: (scope) => String.raw({ raw: parts }, ...holes.map((hole) => String(hole.$fill(scope)))),
    helm: `printf ${JSON.stringify(format)} ${holes.map(operand).join(' ')}`,
    shape: 'text',
  }
}

/** As Helm's `if` has it. */
export function isSet(filled: unknown): boolean {
  if (typeof filled === 'object' && filled !== null) return Object.keys(filled).length > 0
  return Boolean(filled)
}

/** Numbers in values may be floats to Helm, which prints large ones in powers of ten. */
function operand({ helm, shape }: Hole): string {
  if (shape === 'number') return `(int ${helm.includes(' ') ? `(${helm})` : helm})`
  return helm.includes(' ') ? `(${helm})` : helm
}

function pathOf(pick: (values: Values) => unknown): string {
  const path: string[] = []
  const recorder: unknown = new Proxy({}, { get: (_, name) => (path.push(String(name)), recorder) })
  pick(recorder as Values) // has every member, and remembers which were asked for
  return path.join('.')
}

function shapeOf(filled: unknown): Hole['shape'] {
  if (typeof filled === 'string') return 'text'
  if (typeof filled === 'number') return 'number'
  return typeof filled === 'boolean' ? 'flag' : 'structure'
}

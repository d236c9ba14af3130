/** The plain reading of a tree. */
import type { AnyResource } from '#machinery/meta.ts'
import { type Each, isEach, isHole, isSet, isWhen, more, type Scope, type Tree, type When } from './tree.ts'

/** The objects that documents come to. */
export function resolve(documents: readonly Tree[], scope: Scope): AnyResource[] {
  return documents.flatMap((document) => items(document, scope)) as AnyResource[] // documents are objects
}

/** What stands in a list in the place of one item: perhaps nothing, perhaps several. */
function items(tree: Tree, scope: Scope): unknown[] {
  if (isWhen(tree)) return isSet(tree.$when.$fill(scope)) ? items(tree.only, scope) : []
  if (!isEach(tree)) return [filled(tree, scope)]
  const list = tree.$each.$fill(scope) as readonly string[] // `each` is of lists of texts
  return list.flatMap((item) => items(tree.of, { ...scope, item }))
}

function filled(tree: Exclude<Tree, When | Each>, scope: Scope): unknown {
  if (typeof tree !== 'object') return tree
  if (isHole(tree)) return tree.$fill(scope)
  if (isList(tree)) return tree.flatMap((item) => items(item, scope))
  const members = Object.entries(tree).flatMap(([name, member]) =>
    items(member, scope).map((value) => (name === more ? value : { [name]: value })),
  )
  return Object.assign({}, ...members) as unknown
}

function isList(tree: object): tree is readonly Tree[] {
  return Array.isArray(tree)
}

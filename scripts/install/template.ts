/** Helm's reading of a tree: YAML with template actions. */
import { stringify } from 'yaml'
import { type Hole, isEach, isHole, isWhen, more, type Tree } from './tree.ts'

export function template(documents: readonly Tree[]): string {
  return documents.flatMap(documentLines).join('\n').concat('\n')
}

function documentLines(tree: Tree): string[] {
  if (isWhen(tree)) return around(`if ${tree.$when.helm}`, documentLines(tree.only))
  if (isEach(tree)) return around(`range $item := ${tree.$each.helm}`, documentLines(tree.of))
  return ['---', ...blockLines(tree, 0)]
}

const around = (action: string, lines: readonly string[]): string[] => [`{{- ${action} }}`, ...lines, '{{- end }}']

/** A mapping or a list, at `depth` levels of indentation. */
function blockLines(tree: Tree, depth: number): string[] {
  if (typeof tree !== 'object' || isHole(tree) || isWhen(tree) || isEach(tree)) throw new TypeError('not a block')
  if (Array.isArray(tree)) return (tree as readonly Tree[]).flatMap((item) => itemLines(item, depth))
  return Object.entries(tree).flatMap(([name, member]) => memberLines(name, member, depth))
}

function memberLines(name: string, tree: Tree, depth: number): string[] {
  if (isWhen(tree)) return around(`if ${tree.$when.helm}`, memberLines(name, tree.only, depth))
  if (name === more && isHole(tree)) return around(`if ${tree.helm}`, [action(tree, depth)])
  const key = `${pad(depth)}${scalar(name)}:`
  return isInline(tree) ? [`${key} ${inline(tree, depth + 1)}`] : [key, ...blockLines(tree, depth + 1)]
}

function itemLines(tree: Tree, depth: number): string[] {
  if (isWhen(tree)) return around(`if ${tree.$when.helm}`, itemLines(tree.only, depth))
  if (isInline(tree)) return [`${pad(depth)}- ${inline(tree, depth + 1)}`]
  const [first = '', ...rest] = blockLines(tree, depth + 1)
  if (first.startsWith('{{')) throw new TypeError(`the first member of an item may not depend on a value: ${first}`)
  return [`${pad(depth)}- ${first.trimStart()}`, ...rest]
}

const pad = (depth: number): string => '  '.repeat(depth)

/** Takes no lines of its own. */
function isInline(tree: Tree): boolean {
  return typeof tree !== 'object' || isHole(tree) || Object.keys(tree).length === 0
}

function inline(tree: Tree, depth: number): string {
  if (typeof tree === 'object') return isHole(tree) ? action(tree, depth) : JSON.stringify(tree)
  return typeof tree === 'string' ? scalar(tree) : String(tree)
}

function action({ helm, shape }: Hole, depth: number): string {
  switch (shape) {
    case 'text':
      return `{{ ${helm} | quote }}`
    case 'number':
      return `{{ ${helm} | int }}`
    case 'flag':
      return `{{ ${helm} }}`
    case 'structure':
      return `{{- toYaml ${helm} | nindent ${depth * 2} }}`
  }
}

/** Quoted where YAML 1.1 would read something else than this text. */
function scalar(text: string): string {
  if (text.includes('{{')) throw new TypeError(`Helm would take this for an action: ${text}`)
  return stringify(text, { version: '1.1', lineWidth: 0 }).trimEnd()
}

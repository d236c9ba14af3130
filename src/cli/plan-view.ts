/** A plan in lines of text. Pure. */
import { styleText } from 'node:util'
import type { FieldChange } from '#machinery/field-changes.ts'
import type { PlannedDocument, WholePlan } from './plan.ts'
import type { PlannedChange } from './planned.ts'
import { yamlOf } from './yaml.ts'

export interface PlanStyle {
  readonly colors: boolean
  /** What is new is shown in full, not only named. */
  readonly full: boolean
}

const marks = { create: ['+', 'green'], change: ['~', 'yellow'], delete: ['-', 'red'] } as const

export function renderPlan({ against, documents }: WholePlan, style: PlanStyle): string[] {
  return [against, ...documents.flatMap((document) => ['', ...documentLines(document, style)]), '', sumOf(documents)]
}

function documentLines(document: PlannedDocument, style: PlanStyle): string[] {
  const { at, object, own, children, warnings, obstacles } = document
  return [
    `${object}  ${own === undefined ? 'unchanged' : own.do === 'create' ? 'is new' : 'changes'}  (${at})`,
    ...(own === undefined ? [] : changedFields(own.fields, '  ', style)),
    ...warnings.map((warning) => colored('yellow', `  warning: ${warning}`, style)),
    ...children.flatMap((child) => changeLines(child, style)),
    ...obstacles.map((obstacle) => colored('red', `  cannot go on: ${obstacle}`, style)),
  ]
}

function changeLines(change: PlannedChange, style: PlanStyle): string[] {
  const { kind, name, why, because, fields, restartsPods, object } = change
  const [mark, color] = marks[change.do]
  const cause = because.length === 0 ? '' : `; because of ${because.join(', ')}`
  const whole = change.do === 'create' && style.full ? yamlLines(object) : []
  return [
    `  ${colored(color, `${mark} ${kind}/${name}`, style)}  ${why.reason}: ${why.note}${cause}`,
    ...(restartsPods ? ['      its pods are replaced, at the pace of its rollout'] : []),
    ...whole.map((line) => colored(color, `      + ${line}`, style)),
    ...changedFields(fields, '      ', style),
  ]
}

function yamlLines(object: object): string[] {
  return yamlOf(object).trimEnd().split('\n')
}

function changedFields(fields: readonly FieldChange[], indent: string, style: PlanStyle): string[] {
  return fields.map((change) => {
    const [what, text] = inWords(change)
    const [mark, color] = marks[what]
    return `${indent}${colored(color, `${mark} ${text}`, style)}`
  })
}

function inWords({ field, before, after }: FieldChange): ['create' | 'change' | 'delete', string] {
  if (before === undefined) return ['create', `${field}: ${JSON.stringify(after)}`]
  if (after === undefined) return ['delete', `${field}: ${JSON.stringify(before)}`]
  return ['change', `${field}: ${JSON.stringify(before)} → ${JSON.stringify(after)}`]
}

function sumOf(documents: readonly PlannedDocument[]): string {
  const all = documents.flatMap(({ own, children }) => [...(own === undefined ? [] : [own]), ...children])
  if (all.length === 0) return 'nothing would change'
  const count = (what: PlannedChange['do']): number => all.filter((change) => change.do === what).length
  return `${count('create')} to create, ${count('change')} to change, ${count('delete')} to delete`
}

function colored(color: 'green' | 'yellow' | 'red', text: string, { colors }: PlanStyle): string {
  return colors ? styleText(color, text, { validateStream: false }) : text
}

import { dialectOf } from '#api/dialects.ts'
import { isBooster } from '#api/family-kinds.ts'
import type { ModelBooster } from '#api/model-booster.ts'
import { causes } from '#booster/influence.ts'
import { Fault } from '#base/fault.ts'
import { childKindsOf } from '#booster/observe.ts'
import type { Resource } from '#machinery/meta.ts'
import type { ConnectOptions } from './connect.ts'
import { exitCodes } from './exit.ts'
import { lineOf } from './inspect.ts'
import type { ImaginedCluster } from './imagined-cluster.ts'
import type { Io } from './io.ts'
import { kindOfObject } from './known-kinds.ts'
import { type CheckedDocument, checkedDocuments, type Ground, offlineGround } from './plan-ground.ts'
import { renderPlan } from './plan-view.ts'
import { changeOf, type PlannedChange, planChildren } from './planned.ts'

export interface PlanOptions extends ConnectOptions {
  readonly filename: readonly string[]
  readonly offline?: boolean
  readonly from?: readonly string[]
  readonly full?: boolean
  readonly output?: 'json'
}

/** What applying one document would lead to. */
export interface PlannedDocument {
  /** `file:line:column`. */
  readonly at: string
  readonly object: string
  /** To the object itself. */
  readonly own: PlannedChange | undefined
  /** To what the controller makes of it. */
  readonly children: readonly PlannedChange[]
  readonly warnings: readonly string[]
  readonly obstacles: readonly string[]
}

export interface WholePlan {
  /** What it was compared with. */
  readonly against: string
  readonly documents: readonly PlannedDocument[]
}

export async function plan(options: PlanOptions, io: Io): Promise<void> {
  const documents = checkedDocuments(options.filename)
  await using ground =
    options.offline === true || options.from !== undefined
      ? offlineGround(options.from ?? [])
      : await (await import('./plan-cluster.ts')).clusterGround(options, io)
  const planned: PlannedDocument[] = []
  for (const document of documents) planned.push(await planDocument(document, ground))
  const whole: WholePlan = { against: ground.against, documents: planned }
  if (options.output === 'json') io.write(`${JSON.stringify(whole, null, 2)}\n`)
  else for (const line of renderPlan(whole, { colors: io.colors, full: options.full === true })) io.write(`${line}\n`)
  if (planned.some(({ obstacles }) => obstacles.length > 0)) io.exit(exitCodes.failed)
  else if (planned.some(({ own, children }) => own !== undefined || children.length > 0)) io.exit(exitCodes.changes)
}

async function planDocument(document: CheckedDocument, ground: Ground): Promise<PlannedDocument> {
  const { object, at } = document
  const kind = kindOfObject(object)
  const told = {
    at: at(''),
    object: `${object.kind}/${object.metadata.name}`,
    children: [],
    warnings: [],
    obstacles: [],
  }
  if (kind === undefined)
    return {
      ...told,
      own: undefined,
      warnings: [`fairlead does not know this kind of ${object.apiVersion}, and leaves it out`],
    }
  const { before, after } = await ground.apply(document, kind)
  const why = { reason: 'Applied', note: `${before === undefined ? 'created' : 'changed'} by you` }
  const change = changeOf(before === undefined ? 'create' : 'change', kind, { before, after }, why)
  const own = change.do === 'change' && change.fields.length === 0 ? undefined : change
  if (!isBooster(after)) return { ...told, own }
  const { cluster, home } = await ground.surroundings(after)
  const { errors, changes, notes, obstacles } = planChildren(after, cluster, home, Date.now())
  if (errors.length > 0) {
    const lines = errors.map((error) => lineOf({ at: at(error.field), error }))
    throw new Fault('invalid', 'InvalidObject', lines.join('\n  '))
  }
  const children = before === undefined || !isBooster(before) ? changes : withCauses(changes, before, after)
  const lacks = await ground.warnings(childrenIn(cluster, after))
  return { ...told, own, children, warnings: [...notes.map(({ note }) => note), ...lacks], obstacles }
}

function childrenIn(cluster: ImaginedCluster, booster: ModelBooster): Resource[] {
  const { uid = '' } = booster.metadata
  return childKindsOf(dialectOf(booster)).flatMap((kind) => cluster.list(kind, { controllerUid: uid }))
}

function withCauses(changes: readonly PlannedChange[], before: ModelBooster, after: ModelBooster): PlannedChange[] {
  const known = causes(before, after, dialectOf(after).images)
  return changes.map((change) => {
    const because = known
      .filter(({ kind, name }) => kind === change.kind && name === change.name)
      .filter(({ fields }) => change.do !== 'change' || change.fields.some(({ field }) => fields.has(field)))
      .map(({ field }) => field)
    return { ...change, because }
  })
}

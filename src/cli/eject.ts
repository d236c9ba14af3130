import type { ModelBooster } from '#api/model-booster.ts'
import { dialectOf } from '#api/dialects.ts'
import { kindsOf, partOf } from '#api/family-kinds.ts'
import { Fault } from '#base/fault.ts'
import { eject } from '#booster/eject.ts'
import { observe } from '#booster/observe.ts'
import { settle } from '#booster/settle.ts'
import { formatFieldError } from '#machinery/field-error.ts'
import { apiVersionOf } from '#machinery/kind.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { connect, type ConnectOptions } from './connect.ts'
import { usage } from './exit.ts'
import { ImaginedCluster } from './imagined-cluster.ts'
import type { Io } from './io.ts'
import { parseTarget } from './known-kinds.ts'
import { surroundings } from './plan-cluster.ts'
import { boostersIn } from './plan-ground.ts'
import { manifestOf } from './yaml.ts'

export interface EjectOptions extends ConnectOptions {
  readonly what?: string
  readonly names: readonly string[]
  readonly filename?: readonly string[]
  readonly output: 'yaml' | 'json'
}

/** The children of a booster for those who go on without it. */
export async function ejectBooster(options: EjectOptions, io: Io): Promise<void> {
  const objects =
    options.filename === undefined ? await ejectFromCluster(options, io) : ejectFromFiles(options.filename)
  io.write(manifestOf(objects, options.output))
}

function ejectFromFiles(files: readonly string[]): AnyResource[] {
  return boostersIn(files).flatMap((booster) => plainChildren(booster, new ImaginedCluster(), undefined))
}

async function ejectFromCluster({ what, names, ...options }: EjectOptions, io: Io): Promise<AnyResource[]> {
  if (what === undefined) throw usage('say which: fairlead eject modelbooster/NAME, or -f FILE')
  const target = parseTarget(what, names)
  const [name] = target.names
  if (partOf(target.kind) !== 'booster')
    throw usage(`a ${target.kind.singular} has nothing to eject; name a modelbooster`)
  if (name === undefined || target.names.length > 1) throw usage('name one modelbooster')
  await using cluster = connect(options, io)
  const { client, namespace } = cluster
  const { booster: kind } = kindsOf(dialectOf({ apiVersion: apiVersionOf(target.kind) }))
  const booster = await client.get(kind, { namespace, name })
  const around = await surroundings(client, booster)
  return plainChildren(booster, around.cluster, around.home)
}

function plainChildren(booster: ModelBooster, cluster: ImaginedCluster, home: string | undefined): AnyResource[] {
  const { conversion, wanted, hot } = observe(booster, cluster, home)
  if (!conversion.ok) throw new Fault('invalid', 'InvalidObject', conversion.errors.map(formatFieldError).join('\n  '))
  return settle(conversion.desired, wanted, hot).map(({ desired, live }) => eject(desired, live))
}

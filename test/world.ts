/** A whole local cluster in this process: real server, real controllers, real (simulated) pods. */
import type { TestContext } from 'node:test'
import type { AutoscalingOptions } from '#cli/autoscaling.ts'
import type { Fetch } from '#machinery/http.ts'
import { type MachineOptions, type Program, startMachine } from './machine.ts'
import type { Tools } from './tools.ts'

export interface World extends AsyncDisposable, Tools {
  /** As the controllers see it. */
  readonly informers: Program['informers']
}

export interface WorldOptions extends MachineOptions {
  /** Stands between our controllers and the server, for tests that inject faults. */
  readonly between?: (fetch: Fetch) => Fetch
  readonly autoscaling?: AutoscalingOptions
}

export async function startWorld(
  t: Pick<TestContext, 'after'>,
  { between, autoscaling, ...ground }: WorldOptions = {},
): Promise<World> {
  const machine = await startMachine(t, ground)
  const { informers } = machine.start(between, autoscaling)
  return { ...machine, informers }
}

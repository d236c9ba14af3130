import type { Calls } from './call.ts'
import { applyCalls } from './calls-apply.ts'
import { clusterCalls } from './calls-cluster.ts'
import { configCalls } from './calls-config.ts'
import { customCalls } from './calls-custom.ts'
import { definitionCalls } from './calls-definitions.ts'
import { deleteCalls } from './calls-delete.ts'
import { discoveryCalls } from './calls-discovery.ts'
import { eventCalls } from './calls-events.ts'
import { fieldCalls } from './calls-fields.ts'
import { listCalls } from './calls-list.ts'
import { metadataCalls } from './calls-metadata.ts'
import { objectCalls } from './calls-objects.ts'
import { ownCalls } from './calls-own.ts'
import { patchCalls } from './calls-patch.ts'
import { podCalls } from './calls-pods.ts'
import { protocolCalls } from './calls-protocol.ts'
import { serviceCalls } from './calls-services.ts'
import { viewCalls } from './calls-views.ts'
import { watchCalls } from './calls-watch.ts'
import { workloadCalls } from './calls-workloads.ts'

/** The whole script: calls by their subject, each subject in a namespace of its own. */
export const subjects: Readonly<Record<string, Calls>> = {
  objects: objectCalls,
  delete: deleteCalls,
  patch: patchCalls,
  apply: applyCalls,
  fields: fieldCalls,
  list: listCalls,
  watch: watchCalls,
  metadata: metadataCalls,
  pods: podCalls,
  services: serviceCalls,
  config: configCalls,
  workloads: workloadCalls,
  events: eventCalls,
  cluster: clusterCalls,
  custom: customCalls,
  definitions: definitionCalls,
  own: ownCalls,
  views: viewCalls,
  protocol: protocolCalls,
  discovery: discoveryCalls,
}

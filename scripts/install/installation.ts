/** All of an installation: folder → file → documents. The plain manifests and the charts have the same folders. */
import { ownKinds } from '#api/kinds.ts'
import { aimNamespace } from './aim-namespace.ts'
import { manager } from './manager.ts'
import { programs } from './names.ts'
import { networkPolicies } from './network-policies.ts'
import { type Parts, serviceMonitor } from './parts.ts'
import { catalogRoles, programRoles, userRoles } from './rbac.ts'
import { router } from './router.ts'

/** What a cluster has once, beside the CRDs. */
export const forTheCluster = {
  'user-roles': { 'user-roles': userRoles(ownKinds) },
  'aim-system': { namespace: [aimNamespace] },
} satisfies Record<string, Parts>

/** What each installation of the programs has. */
export const forThePrograms = {
  rbac: {
    ...Object.fromEntries(programs.map((program) => [program, programRoles(program)])),
    'aim-catalog': catalogRoles(),
  },
  manager,
  router,
  'network-policy': networkPolicies,
  'service-monitor': Object.fromEntries(programs.map((program) => [program, [serviceMonitor(program)]])),
} satisfies Record<string, Parts>

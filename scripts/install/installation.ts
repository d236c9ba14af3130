/** All of an installation: folder → file → documents. The plain manifests and the charts have the same folders. */
import { legacyKinds } from '#api/family-kinds.ts'
import { ownKinds } from '#api/kinds.ts'
import { aimNamespace } from './aim-namespace.ts'
import { manager } from './manager.ts'
import { programs } from './names.ts'
import { networkPolicies } from './network-policies.ts'
import { type Parts, serviceMonitor } from './parts.ts'
import { catalogRoles, legacyRoles, programRoles, userRoles } from './rbac.ts'
import { router } from './router.ts'

/** What a cluster has once, beside the CRDs. */
export const forTheCluster = {
  'user-roles': { 'user-roles': userRoles(ownKinds) },
  'aim-system': { namespace: [aimNamespace] },
} satisfies Record<string, Parts>

/** The same of MatrixInfer's kinds, where somebody wants them; with what the programs then may do. */
export const forMatrixInfer = {
  roles: programs.flatMap(legacyRoles),
  'user-roles': userRoles(legacyKinds, 'fairlead-matrixinfer'),
} satisfies Parts

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

/** The Job that runs the model's image once, dry, for it to print its profile. */
import { hash } from 'node:crypto'
import { canonicalJson } from '#base/json.ts'
import { aimLabels } from '#api/aim-labels.ts'
import { Job } from '#api/core/kinds.ts'
import type { EnvVar, LocalObjectReference } from '#api/core/types.generated.ts'
import type { AIMServiceTemplate } from '#api/aim-service-template.ts'
import { controllerReference } from '#controller/owned.ts'
import { apiVersionOf } from '#machinery/kind.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { mergeEnv } from '../environment.ts'
import { hardwareOf } from '../hardware.ts'
import { labelOfName } from '../names.ts'

/** All Jobs of all templates, of either scope. */
export const discoveryLabels = {
  'app.kubernetes.io/name': 'aim-discovery',
  'app.kubernetes.io/component': 'discovery',
  'app.kubernetes.io/managed-by': 'aim-controller',
} as const
export const discoveryContainer = 'discovery'

const deadlineSeconds = 900
/** Long enough for its output to be read after a restart. */
const keptSeconds = 600

export interface JobFacts {
  readonly image: string
  readonly namespace: string
  readonly scope: 'Namespace' | 'Cluster'
  readonly pullSecrets: readonly LocalObjectReference[]
  readonly serviceAccountName: string | undefined
  /** Of the runtime config and the model; the template's own comes over it. */
  readonly env: readonly EnvVar[]
  readonly labels: Readonly<Record<string, string>>
  readonly specHash: string
  /** Attempts that failed before. */
  readonly attempt: number
}

const keptOfName = 45

/** One name for one attempt of one template, so that no attempt is made twice. */
export function discoveryJobName({ metadata }: AIMServiceTemplate, facts: JobFacts): string {
  const { specHash, attempt, pullSecrets, serviceAccountName } = facts
  const inputs = canonicalJson([metadata.uid, specHash, attempt, pullSecrets, serviceAccountName])
  const kept = (metadata.name ?? '').slice(0, keptOfName).replace(/[-.]+$/, '')
  return `discover-${kept}-${hash('sha256', inputs, 'hex').slice(0, 8)}`
}

export function renderDiscoveryJob(template: AIMServiceTemplate, facts: JobFacts): AnyResource {
  const { metadata, spec } = template
  const { namespace, image, scope, pullSecrets, serviceAccountName } = facts
  const name = metadata.name ?? ''
  const podLabels = {
    ...facts.labels,
    'app.kubernetes.io/name': discoveryLabels['app.kubernetes.io/name'],
    'app.kubernetes.io/component': discoveryLabels['app.kubernetes.io/component'],
    [aimLabels.template]: labelOfName(name),
    [aimLabels.templateScope]: scope,
    [aimLabels.templateUid]: metadata.uid ?? '',
    [aimLabels.model]: labelOfName(spec.modelName),
  }
  return {
    apiVersion: apiVersionOf(Job),
    kind: Job.kind,
    metadata: {
      name: discoveryJobName(template, facts),
      namespace,
      labels: { ...podLabels, ...discoveryLabels },
      ownerReferences: [controllerReference(template)],
    },
    spec: {
      backoffLimit: 0, // we try again ourselves, and say when
      activeDeadlineSeconds: deadlineSeconds,
      ttlSecondsAfterFinished: keptSeconds,
      template: {
        metadata: { labels: podLabels },
        spec: {
          restartPolicy: 'Never',
          automountServiceAccountToken: false,
          ...(pullSecrets.length > 0 && { imagePullSecrets: [...pullSecrets] }),
          ...(serviceAccountName !== undefined && { serviceAccountName }),
          securityContext: { runAsNonRoot: true, runAsUser: 65_532, seccompProfile: { type: 'RuntimeDefault' } },
          containers: [
            {
              name: discoveryContainer,
              image,
              args: ['dry-run', '--format=json'],
              env: discoveryEnv(template, facts.env),
              resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { cpu: '1', memory: '1Gi' } },
              securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
              volumeMounts: [{ name: 'scratch', mountPath: '/tmp' }],
            },
          ],
          volumes: [{ name: 'scratch', emptyDir: {} }],
        },
      },
    },
  }
}

/** What the user says of the template wins over what we would. */
function discoveryEnv({ spec }: AIMServiceTemplate, inherited: readonly EnvVar[]): EnvVar[] {
  const { requests = 0, model = '' } = hardwareOf(spec)?.gpu ?? {}
  const quiet = ['AIM_LOG_LEVEL', 'AIM_LOG_LEVEL_ROOT'].map((name) => ({ name, value: 'CRITICAL' }))
  const asked = [
    ['AIM_METRIC', spec.metric],
    ['AIM_PRECISION', spec.precision],
    ['AIM_GPU_MODEL', model],
    ['AIM_GPU_COUNT', requests > 0 ? String(requests) : ''],
    ['AIM_PROFILE_ID', spec.profileId],
  ] as const
  const fixed = asked.flatMap(([name, value]) => (value === undefined || value === '' ? [] : [{ name, value }]))
  return mergeEnv(quiet, inherited, fixed, spec.env)
}

/**
 * Defaults that Kubernetes' API server fills in and that its OpenAPI document does not state, by definition and member.
 * Source: the `SetDefaults_*` functions of Kubernetes, pkg/apis/{core,batch,discovery,rbac}/v1/defaults.go.
 * Left to the API server, because they depend on other fields: a service port's `targetPort`, a job's `completions`,
 * `imagePullPolicy: Always` for an image tagged `latest`.
 */
export const coreDefaults: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  PodSpec: {
    restartPolicy: 'Always',
    dnsPolicy: 'ClusterFirst',
    terminationGracePeriodSeconds: 30,
    schedulerName: 'default-scheduler',
    securityContext: {},
  },
  Container: {
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    resources: {},
  },
  ContainerPort: { protocol: 'TCP' },
  Probe: { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 },
  HTTPGetAction: { path: '/', scheme: 'HTTP' },
  GRPCAction: { service: '' },
  ObjectFieldSelector: { apiVersion: 'v1' },
  ResourceFieldSelector: { divisor: '0' },
  ConfigMapVolumeSource: { defaultMode: 0o644 },
  SecretVolumeSource: { defaultMode: 0o644 },
  DownwardAPIVolumeSource: { defaultMode: 0o644 },
  ProjectedVolumeSource: { defaultMode: 0o644 },
  ServiceAccountTokenProjection: { expirationSeconds: 3600 },
  HostPathVolumeSource: { type: '' },
  ServiceSpec: { type: 'ClusterIP', sessionAffinity: 'None' },
  ServicePort: { protocol: 'TCP' },
  Secret: { type: 'Opaque' },
  PodFailurePolicyOnPodConditionsPattern: { status: 'True' },
  PersistentVolumeClaimSpec: { volumeMode: 'Filesystem' },
  PersistentVolumeSpec: { volumeMode: 'Filesystem', persistentVolumeReclaimPolicy: 'Retain' },
  JobSpec: {
    completionMode: 'NonIndexed',
    suspend: false,
    manualSelector: false,
  },
  EndpointPort: { name: '', protocol: 'TCP' },
  RoleRef: { apiGroup: 'rbac.authorization.k8s.io' },
}

/** Specs of our kinds, right and wrong, and what an API server says of them. */

export interface ObjectRow {
  readonly name: string
  readonly kind: string
  readonly spec: unknown
  /** The spec before, where the row is about a change. */
  readonly old?: unknown
  readonly metadata?: Readonly<Record<string, unknown>>
  /** `field: detail` of each error; empty for an object that is fine. */
  readonly want: readonly RegExp[]
}

type Json = Readonly<Record<string, unknown>>

const server: Json = { type: 'server', image: 'vllm/vllm-openai:v0.10.0' }

function backend(over: Json = {}): Json {
  return {
    name: 'b1',
    type: 'vLLM',
    modelURI: 'hf://org/model',
    minReplicas: 1,
    maxReplicas: 1,
    workers: [server],
    ...over,
  }
}

const policy: Json = { metrics: [{ metricName: 'kthena:num_requests_waiting', targetValue: 10 }] }

function booster(name: string, spec: unknown, ...want: RegExp[]): ObjectRow {
  return { name, kind: 'ModelBooster', spec, want }
}

const paired: Json = backend({
  type: 'vLLMDisaggregated',
  workers: [{ type: 'prefill' }, { type: 'decode' }],
})

const boosters: readonly ObjectRow[] = [
  booster('a list of one backend', { backends: [backend()] }),
  booster('the single form with a fixed number', {
    backend: backend({ minReplicas: undefined, maxReplicas: undefined, replicas: 2 }),
  }),
  booster('two weighted backends with a match', {
    name: 'Org/Model-7B',
    modelMatch: { headers: { 'x-user': { prefix: 'beta' } }, uri: { exact: '/v1/chat/completions' } },
    backends: [backend({ routeWeight: 70 }), backend({ name: 'b2', routeWeight: 30 })],
  }),
  booster('prefill and decode', { backends: [paired] }),
  booster(
    'recovery by group with a rollout by role',
    {
      backends: [backend({ recoveryPolicy: 'ServingGroupRecreate', rolloutStrategy: { type: 'RoleRollingUpdate' } })],
    },
    /does not go with RoleRollingUpdate/,
  ),
  booster(
    'a further route that nobody could ask for',
    {
      additionalRoutes: [{ name: 'r' }],
      backends: [backend()],
    },
    /give a modelName of its own, loraAdapters or both/,
  ),
  booster('a policy for the model', {
    autoscalingPolicy: policy,
    backends: [backend({ maxReplicas: 5, scalingCost: 1, scaleToZeroGracePeriod: '1m30s' })],
  }),
  booster('a policy for a backend', { backends: [backend({ maxReplicas: 5, autoscalingPolicy: policy })] }),
  booster('the single form with a policy', {
    autoscalingPolicy: policy,
    backend: backend({ minReplicas: 0, maxReplicas: 5 }),
  }),
  booster('adapters, a claim and a free-form config', {
    backends: [
      backend({
        modelURI: 'pvc://models/llama',
        cacheURI: 'pvc://models',
        loraAdapters: [{ name: 'sql', artifactURL: 'hf://org/sql' }],
        workers: [
          { ...server, config: { 'max-model-len': 4096, port: 9000 }, resources: { limits: { 'nvidia.com/gpu': 1 } } },
        ],
      }),
    ],
  }),
  booster('an empty config', { backends: [backend({ workers: [{ ...server, config: null }] })] }),
  booster('both forms', { backend: backend(), backends: [backend()] }, /^spec\.backend: .*mutually exclusive/),
  booster('neither form', {}, /^spec\.backends: .*list of backends/),
  booster('an empty list', { backends: [] }, /^spec\.backends: .*at least 1 items/),
  booster('two backends of one name', { backends: [backend(), backend()] }, /^spec\.backends\[1\]: /),
  booster(
    'no replicas at all',
    { backends: [backend({ minReplicas: undefined, maxReplicas: undefined })] },
    /^spec\.backends\[0\]\.replicas: .*give replicas/,
  ),
  booster(
    'one bound without the other',
    { backends: [backend({ maxReplicas: undefined })] },
    /^spec\.backends\[0\]\.minReplicas: .*go together/,
  ),
  booster(
    'bounds that differ with nothing to scale',
    { backends: [backend({ maxReplicas: 2 })] },
    /^spec\.backends: .*must be equal/,
  ),
  booster(
    'a minimum above the maximum',
    { backends: [backend({ minReplicas: 3, maxReplicas: 2 })] },
    /^spec\.backends\[0\]\.minReplicas: .*above maxReplicas/,
    /^spec\.backends: .*must be equal/,
  ),
  booster(
    'a number outside its bounds',
    { autoscalingPolicy: policy, backends: [backend({ maxReplicas: 3, replicas: 4, scalingCost: 1 })] },
    /^spec\.backends\[0\]\.replicas: .*must lie between/,
  ),
  booster(
    'more replicas than there may be',
    {
      backends: [
        backend({ minReplicas: 600000, maxReplicas: 600000 }),
        backend({ name: 'b2', minReplicas: 600000, maxReplicas: 600000 }),
      ],
    },
    /^spec\.backends: .*1000000/,
  ),
  booster(
    'a fixed number with a policy',
    { autoscalingPolicy: policy, backend: backend({ minReplicas: undefined, maxReplicas: undefined, replicas: 1 }) },
    /^spec\.backend: .*a policy needs/,
  ),
  booster(
    'two workers of vLLM',
    { backends: [backend({ workers: [server, server] })] },
    /^spec\.backends\[0\]\.workers: .*exactly one worker/,
  ),
  booster(
    'a decode worker of vLLM',
    { backends: [backend({ workers: [{ type: 'decode' }] })] },
    /^spec\.backends\[0\]\.workers: .*type server/,
  ),
  booster(
    'a server worker beside prefill and decode',
    { backends: [backend({ type: 'vLLMDisaggregated', workers: [server, { type: 'prefill' }, { type: 'decode' }] })] },
    /^spec\.backends\[0\]\.workers: .*prefill or decode/,
  ),
  booster(
    'B-42 prefill without decode',
    { backends: [backend({ type: 'vLLMDisaggregated', workers: [{ type: 'prefill' }] })] },
    /^spec\.backends\[0\]\.workers: .*exactly one prefill and one decode/,
  ),
  booster(
    'B-42 decode without prefill',
    { backends: [backend({ type: 'vLLMDisaggregated', workers: [{ type: 'decode' }] })] },
    /^spec\.backends\[0\]\.workers: .*exactly one prefill and one decode/,
  ),
  booster(
    'white space in an image',
    { backends: [backend({ workers: [{ image: 'a b' }] })] },
    /^spec\.backends\[0\]\.workers\[0\]\.image: .*white space/,
  ),
  booster(
    'a line end in an image',
    { backends: [backend({ workers: [{ image: 'a\n' }] })] },
    /^spec\.backends\[0\]\.workers\[0\]\.image: .*white space/,
  ),
  booster(
    'policies at both levels',
    { autoscalingPolicy: policy, backends: [backend({ scalingCost: 1, autoscalingPolicy: policy })] },
    /^spec\.autoscalingPolicy: .*one level/,
  ),
  booster(
    'a policy for the model without costs',
    { autoscalingPolicy: policy, backends: [backend()] },
    /^spec\.backends: .*scalingCost above 0/,
  ),
  booster(
    'a policy for the model with nothing to begin with',
    { autoscalingPolicy: policy, backends: [backend({ minReplicas: 0, scalingCost: 1 })] },
    /^spec\.backends: .*minReplicas above 0/,
  ),
  booster(
    'a cost without a policy',
    { backends: [backend({ scalingCost: 5 })] },
    /^spec\.backends: .*scalingCost is for/,
  ),
  booster(
    'an expansion rate without a policy',
    { costExpansionRatePercent: 100, backends: [backend()] },
    /^spec\.costExpansionRatePercent: .*whole model/,
  ),
  booster(
    'a backend that scales from zero in a list',
    { backends: [backend({ minReplicas: 0, autoscalingPolicy: policy })] },
    /^spec\.backends: .*at least 1/,
  ),
  booster(
    'too long a grace period',
    { autoscalingPolicy: policy, backends: [backend({ scalingCost: 1, scaleToZeroGracePeriod: '31m' })] },
    /scaleToZeroGracePeriod: .*between 0s and 30m/,
  ),
  booster(
    'a negative grace period',
    { autoscalingPolicy: policy, backends: [backend({ scalingCost: 1, scaleToZeroGracePeriod: '-1s' })] },
    /scaleToZeroGracePeriod: .*between 0s and 30m/,
    /scaleToZeroGracePeriod: .*should match/,
  ),
  booster(
    'an adapter named like the model',
    { backends: [backend({ loraAdapters: [{ name: 'chat', artifactURL: 'hf://a/b' }] })] },
    /^spec\.backends: .*loraAdapter/,
  ),
  booster(
    'an adapter given twice',
    {
      backends: [
        backend({
          loraAdapters: [
            { name: 'a', artifactURL: 'hf://a/b' },
            { name: 'a', artifactURL: 'hf://a/c' },
          ],
        }),
      ],
    },
    /^spec\.backends\[0\]\.loraAdapters\[1\]: /,
  ),
  booster(
    'weights on a claim, cache elsewhere',
    { backends: [backend({ modelURI: 'pvc://m/x', cacheURI: 'hostpath:///cache' })] },
    /^spec\.backends\[0\]\.cacheURI: .*pvc:\/\//,
  ),
  booster(
    'a path that leaves the claim',
    { backends: [backend({ modelURI: 'pvc://../x', cacheURI: 'pvc://m' })] },
    /^spec\.backends\[0\]\.modelURI: .*\.\./,
  ),
  booster(
    'no weight at all',
    { backends: [backend({ routeWeight: 0 }), backend({ name: 'b2', routeWeight: 0 })] },
    /^spec\.backends: .*routeWeight/,
  ),
  booster(
    'a config that is no object',
    { backends: [backend({ workers: [{ ...server, config: 'x' }] })] },
    /workers\[0\]\.config: .*must be of type object/,
  ),
  booster(
    'a source of an unknown scheme',
    { backends: [backend({ modelURI: 'ftp://x' })] },
    /^spec\.backends\[0\]\.modelURI: .*should match/,
  ),
  booster(
    'a backend whose name is none',
    { backends: [backend({ name: 'Aa_' })] },
    /^spec\.backends\[0\]\.name: .*should match/,
  ),
  booster('an unknown engine', { backends: [backend({ type: 'TGI' })] }, /^spec\.backends\[0\]\.type: /),
  booster(
    'a target of nothing',
    {
      backends: [backend({ maxReplicas: 2, autoscalingPolicy: { metrics: [{ metricName: 'm', targetValue: '0' }] } })],
    },
    /targetValue: .*above 0/,
  ),
  booster(
    'a metric of two names',
    {
      backends: [
        backend({
          maxReplicas: 2,
          autoscalingPolicy: { metrics: [{ metricName: 'm', name: 'm', targetValue: '500m' }] },
        }),
      ],
    },
    /metrics\[0\]: .*metricName/,
  ),
  {
    ...booster(
      'names too long together',
      { backends: [backend({ name: 'abcdef' })] },
      /^metadata\.name: .*49 characters/,
    ),
    metadata: { name: 'm'.repeat(60) },
  },
  {
    ...booster('a name with a dot', { backends: [backend()] }, /^metadata\.name: .*begin with a letter/),
    metadata: { name: 'llama-3.1' },
  },
]

const pod: Json = { spec: { containers: [{ name: 'engine', image: 'vllm', env: [{ name: 'A', value: '1' }] }] } }

function role(over: Json = {}): Json {
  return { name: 'leader', entryTemplate: pod, workerReplicas: 0, ...over }
}

function serving(name: string, spec: unknown, ...want: RegExp[]): ObjectRow {
  return { name, kind: 'ModelServing', spec, want }
}

const rolling = (over: Json): Json => ({ type: 'ServingGroupRollingUpdate', rollingUpdateConfiguration: over })

const servings: readonly ObjectRow[] = [
  serving('the least', { template: { roles: [role()] } }),
  serving('two roles with workers, gang and topology', {
    replicas: 2,
    template: {
      gangPolicy: { minRoleReplicas: { prefill: 1 } },
      networkTopology: { groupPolicy: { highestTierAllowed: 1 } },
      roles: [role({ name: 'prefill', workerReplicas: 1, workerTemplate: pod }), role({ name: 'decode', replicas: 2 })],
    },
    recoveryPolicy: 'ServingGroupRecreate',
    rolloutStrategy: rolling({ maxUnavailable: '50%', partition: 1 }),
  }),
  serving('an update role by role', {
    template: { roles: [role({ maxUnavailable: '100%', partition: 1 })] },
    rolloutStrategy: { type: 'RoleRollingUpdate' },
  }),
  serving('no role', { template: { roles: [] } }, /^spec\.template\.roles: .*at least 1 items/),
  serving(
    'two roles of one name',
    { template: { roles: [role(), role()] } },
    /^spec\.template\.roles: .*name of its own/,
  ),
  serving(
    'a role in upper case',
    { template: { roles: [role({ name: 'Leader' })] } },
    /roles\[0\]\.name: .*should match/,
  ),
  serving('fewer than no groups', { replicas: -1, template: { roles: [role()] } }, /^spec\.replicas: /),
  serving(
    'workers without a template',
    { template: { roles: [role({ workerReplicas: 1 })] } },
    /roles\[0\]\.workerTemplate: .*required/,
  ),
  serving(
    'a pod without containers',
    { template: { roles: [role({ entryTemplate: { spec: {} } })] } },
    /entryTemplate\.spec\.containers: /,
  ),
  serving(
    'a gang of an unknown role',
    { template: { gangPolicy: { minRoleReplicas: { x: 1 } }, roles: [role()] } },
    /gangPolicy\.minRoleReplicas: .*name a role/,
  ),
  serving(
    'a gang above the replicas',
    { template: { gangPolicy: { minRoleReplicas: { leader: 2 } }, roles: [role()] } },
    /gangPolicy\.minRoleReplicas: .*name a role/,
  ),
  serving(
    'pace in two places',
    { template: { roles: [role()] }, rolloutStrategy: { type: 'RoleRollingUpdate', rollingUpdateConfiguration: {} } },
    /rollingUpdateConfiguration: .*belongs to/,
  ),
  serving(
    'a number in quotes',
    { template: { roles: [role()] }, rolloutStrategy: rolling({ partition: '5' }) },
    /partition: .*percentage/,
  ),
  serving(
    'a pace of nothing',
    { template: { roles: [role()] }, rolloutStrategy: rolling({ maxUnavailable: 0 }) },
    /maxUnavailable: .*no update could move/,
  ),
  serving(
    'a pace of nothing for a role',
    { template: { roles: [role({ maxUnavailable: '0%' })] }, rolloutStrategy: { type: 'RoleRollingUpdate' } },
    /^spec\.template\.roles: .*must not both be none/,
  ),
  serving('no group missing, but one added', {
    template: { roles: [role()] },
    rolloutStrategy: rolling({ maxUnavailable: 0, maxSurge: '10%' }),
  }),
  serving('a percentage that comes to nothing is one', {
    replicas: 3,
    template: { roles: [role()] },
    rolloutStrategy: rolling({ maxUnavailable: '30%' }),
  }),
  serving('B-29 role by role, a role without instances', {
    template: { roles: [role(), role({ name: 'spare', replicas: 0 })] },
    rolloutStrategy: { type: 'RoleRollingUpdate' },
  }),
  serving(
    'a role held back while groups roll',
    { template: { roles: [role({ partition: 1 })] } },
    /^spec\.template\.roles: .*RoleRollingUpdate/,
  ),
  serving(
    'recovery of groups, update of roles',
    {
      recoveryPolicy: 'ServingGroupRecreate',
      template: { roles: [role()] },
      rolloutStrategy: { type: 'RoleRollingUpdate' },
    },
    /^spec\.recoveryPolicy: /,
  ),
  serving(
    'a tier by number and name',
    {
      template: {
        networkTopology: { rolePolicy: { highestTierAllowed: 1, highestTierName: 'rack' } },
        roles: [role()],
      },
    },
    /rolePolicy: .*not both/,
  ),
  serving(
    'both shapes of topology',
    { template: { networkTopology: { mode: 'hard', groupPolicy: {} }, roles: [role()] } },
    /networkTopology: .*older form/,
  ),
  {
    ...serving('gang settings may change', { template: { roles: [role()] } }),
    old: { template: { gangPolicy: {}, roles: [role()] } },
  },
  {
    ...serving('a name too long for its pods', { template: { roles: [role()] } }, /^metadata\.name: .*too long/),
    metadata: { name: 'm'.repeat(51) },
  },
  { ...serving('a name that just fits', { template: { roles: [role()] } }), metadata: { name: 'm'.repeat(50) } },
]

function route(name: string, spec: unknown, ...want: RegExp[]): ObjectRow {
  return { name, kind: 'ModelRoute', spec, want }
}

const toServer: Json = { targetModels: [{ modelServerName: 'chat-b1' }] }

const routes: readonly ObjectRow[] = [
  route('a name and a target', { modelName: 'chat', rules: [toServer] }),
  route('adapters alone', { loraAdapters: ['sql'], rules: [toServer] }),
  route('neither name nor adapter', { rules: [toServer] }, /^spec\.modelName: .*give modelName/),
  route('an empty name', { modelName: '', loraAdapters: [], rules: [toServer] }, /^spec\.modelName: .*give modelName/),
  route(
    'a rule without a target',
    { modelName: 'chat', rules: [{ targetModels: [] }] },
    /targetModels: .*at least 1 items/,
    /targetModels: .*weight above 0/,
  ),
  route(
    'a target that names nothing',
    { modelName: 'chat', rules: [{ targetModels: [{ weight: 1 }] }] },
    /targetModels\[0\]: .*give one of/,
  ),
  route(
    'a target that names two things',
    { modelName: 'chat', rules: [{ targetModels: [{ modelServerName: 'a', externalModelProviderName: 'b' }] }] },
    /targetModels\[0\]: .*give one of/,
  ),
  route(
    'weights that sum to nothing',
    { modelName: 'chat', rules: [{ targetModels: [{ modelServerName: 'a', weight: 0 }] }] },
    /targetModels: .*weight above 0/,
  ),
  route(
    'adapters with an external provider',
    { modelName: 'chat', loraAdapters: ['sql'], rules: [{ targetModels: [{ externalModelProviderName: 'b' }] }] },
    /^spec\.rules: .*external provider/,
  ),
  {
    ...route('another name', { modelName: 'b', rules: [toServer] }, /^spec\.modelName: .*cannot be changed/),
    old: { modelName: 'a', rules: [toServer] },
  },
  {
    ...route(
      'the name taken away',
      { loraAdapters: ['sql'], rules: [toServer] },
      /^spec\.modelName: .*cannot be changed/,
    ),
    old: { modelName: 'a', rules: [toServer] },
  },
  {
    ...route('a first name', { modelName: 'a', rules: [toServer] }),
    old: { loraAdapters: ['sql'], rules: [toServer] },
  },
]

function modelServer(name: string, over: Json, ...want: RegExp[]): ObjectRow {
  const spec = {
    model: 'chat',
    inferenceEngine: 'vLLM',
    workloadSelector: { matchLabels: { app: 'chat' } },
    workloadPort: { port: 8000 },
    ...over,
  }
  return { name, kind: 'ModelServer', spec, want }
}

const servers: readonly ObjectRow[] = [
  modelServer('a selector and a port', {
    trafficPolicy: { timeout: '1m30s', retry: { attempts: 5, retryInterval: '0s' } },
  }),
  modelServer('prefill and decode', {
    workloadSelector: {
      matchLabels: { app: 'chat' },
      pdGroup: { groupKey: 'group', prefillLabels: { role: 'prefill' }, decodeLabels: { role: 'decode' } },
    },
    kvConnector: { type: 'nixl' },
  }),
  modelServer('no label to select by', { workloadSelector: { matchLabels: {} } }, /matchLabels: .*at least 1 propert/),
  modelServer(
    'a pair without labels',
    {
      workloadSelector: {
        matchLabels: { app: 'chat' },
        pdGroup: { groupKey: 'group', prefillLabels: {}, decodeLabels: { role: 'decode' } },
      },
    },
    /prefillLabels: .*at least 1 propert/,
  ),
  modelServer('a port that is none', { workloadPort: { port: 0 } }, /^spec\.workloadPort\.port: /),
  modelServer(
    'a timeout without a unit',
    { trafficPolicy: { timeout: '10' } },
    /^spec\.trafficPolicy\.timeout: .*should match/,
  ),
]

const target: Json = { target: { targetRef: { name: 'chat-b1' } }, minReplicas: 1, maxReplicas: 4 }

function scaling(
  kind: 'AutoscalingPolicy' | 'AutoscalingPolicyBinding',
  name: string,
  spec: unknown,
  ...want: RegExp[]
): ObjectRow {
  return { name, kind, spec, want }
}

const scalings: readonly ObjectRow[] = [
  scaling('AutoscalingPolicy', 'metrics alone', policy),
  scaling('AutoscalingPolicy', 'one target inside', {
    metrics: [{ name: 'm', targetValue: '500m' }],
    homogeneousTarget: target,
  }),
  scaling('AutoscalingPolicy', 'roles with a ratio', {
    disaggregatedTarget: {
      targetRef: { kind: 'ModelServing', name: 'chat' },
      roles: { prefill: { minReplicas: 1, maxReplicas: 1 }, decode: { minReplicas: 2, maxReplicas: 2 } },
      ratioConstraint: { numeratorRole: 'prefill', denominatorRole: 'decode', minRatio: '0.5', maxRatio: 1 },
    },
  }),
  scaling('AutoscalingPolicy', 'no metric', {}, /^spec\.metrics: .*at least one metric/),
  scaling(
    'AutoscalingPolicy',
    'two targets',
    { ...policy, homogeneousTarget: target, heterogeneousTarget: { params: [target] } },
    /^spec: .*at most one/,
  ),
  scaling(
    'AutoscalingPolicy',
    'a ratio of an unknown role',
    {
      disaggregatedTarget: {
        targetRef: { name: 'chat' },
        roles: { prefill: { minReplicas: 1, maxReplicas: 1 } },
        ratioConstraint: { numeratorRole: 'prefill', denominatorRole: 'decode', minRatio: 1, maxRatio: 1 },
      },
    },
    /ratioConstraint: .*listed under roles/,
  ),
  scaling(
    'AutoscalingPolicy',
    'a source from nowhere',
    { ...policy, homogeneousTarget: { ...target, target: { targetRef: { name: 'chat' }, metricSources: { m: {} } } } },
    /metricSources.*: .*give one of/,
  ),
  scaling('AutoscalingPolicyBinding', 'one serving', { policyRef: { name: 'chat' }, scalingConfiguration: target }),
  scaling('AutoscalingPolicyBinding', 'a pool', {
    policyRef: { name: 'chat' },
    optimizerConfiguration: { params: [{ ...target, cost: 2 }] },
  }),
  scaling('AutoscalingPolicyBinding', 'neither', { policyRef: { name: 'chat' } }, /^spec: .*give one of/),
  scaling(
    'AutoscalingPolicyBinding',
    'bounds the wrong way round',
    { policyRef: { name: 'chat' }, scalingConfiguration: { ...target, minReplicas: 5 } },
    /minReplicas: .*above maxReplicas/,
  ),
  scaling(
    'AutoscalingPolicyBinding',
    'a target of another kind without its group',
    {
      policyRef: { name: 'chat' },
      scalingConfiguration: { ...target, target: { targetRef: { kind: 'Deployment', name: 'x' } } },
    },
    /targetRef\.apiVersion: .*kind other than ModelServing/,
  ),
  scaling(
    'AutoscalingPolicyBinding',
    'a target without a name',
    { policyRef: { name: 'chat' }, scalingConfiguration: { ...target, target: { targetRef: {} } } },
    /targetRef\.name: .*give the name/,
  ),
]

export const rows: readonly ObjectRow[] = [...boosters, ...servings, ...routes, ...servers, ...scalings]

/**
 * The rules for ModelBoosters that CEL can say, so that an API server refuses what breaks them.
 * `model-booster-rules.ts` holds all rules, these included, with exact paths.
 */
import type { ValidationRule } from '#machinery/structural-schema.ts'

/** On one backend. */
export const backendRules: readonly ValidationRule[] = [
  {
    rule: 'has(self.minReplicas) == has(self.maxReplicas)',
    message: 'minReplicas and maxReplicas go together; for a fixed number give replicas alone',
    fieldPath: '.minReplicas',
  },
  {
    rule: 'has(self.replicas) || has(self.minReplicas) || has(self.maxReplicas)',
    message: 'give replicas, or minReplicas and maxReplicas',
    fieldPath: '.replicas',
    reason: 'FieldValueRequired',
  },
  {
    rule: '!has(self.minReplicas) || !has(self.maxReplicas) || self.minReplicas <= self.maxReplicas',
    message: 'minReplicas may not be above maxReplicas',
    fieldPath: '.minReplicas',
  },
  {
    rule: '!has(self.replicas) || !has(self.minReplicas) || !has(self.maxReplicas) || (self.minReplicas <= self.replicas && self.replicas <= self.maxReplicas)',
    message: 'replicas must lie between minReplicas and maxReplicas',
    fieldPath: '.replicas',
  },
  {
    rule: '!has(self.autoscalingPolicy) || (has(self.minReplicas) && has(self.maxReplicas))',
    message: 'a policy needs minReplicas and maxReplicas to scale between',
    fieldPath: '.minReplicas',
    reason: 'FieldValueRequired',
  },
  {
    rule: `!(self.type in ['vLLM', 'SGLang', 'MindIE']) || size(self.workers) == 1`,
    message: 'this type has exactly one worker',
    fieldPath: '.workers',
  },
  {
    rule: `!(self.type in ['vLLM', 'SGLang', 'MindIE']) || size(self.workers) != 1 || self.workers[0].type == 'server'`,
    message: 'the worker of this type must have type server',
    fieldPath: '.workers',
  },
  {
    rule: `self.type != 'vLLMDisaggregated' || self.workers.all(worker, worker.type in ['prefill', 'decode'])`,
    message: 'workers of vLLMDisaggregated have type prefill or decode',
    fieldPath: '.workers',
  },
  {
    rule: `self.type != 'vLLMDisaggregated' || (self.workers.exists_one(worker, worker.type == 'prefill') && self.workers.exists_one(worker, worker.type == 'decode'))`,
    message: 'vLLMDisaggregated needs exactly one prefill and one decode worker',
    fieldPath: '.workers',
  },
  {
    rule: `self.type != 'MindIEDisaggregated' || self.workers.all(worker, worker.type != 'server')`,
    message: 'workers of MindIEDisaggregated have type prefill, decode, controller or coordinator',
    fieldPath: '.workers',
  },
  {
    rule: `!has(self.recoveryPolicy) || self.recoveryPolicy != 'ServingGroupRecreate' || !has(self.rolloutStrategy) || self.rolloutStrategy.type != 'RoleRollingUpdate'`,
    message: 'ServingGroupRecreate does not go with RoleRollingUpdate; choose RoleRecreate or None',
    fieldPath: '.recoveryPolicy',
  },
  {
    rule: `!self.modelURI.startsWith('pvc://') || (has(self.cacheURI) && self.cacheURI.startsWith('pvc://'))`,
    message: 'weights on a claim need the claim as the cache too: cacheURI must begin with pvc://',
    fieldPath: '.cacheURI',
  },
  {
    rule: `!self.modelURI.startsWith('pvc://') || !(self.modelURI + '/').contains('/../')`,
    message: 'the path on the claim may not contain ..',
    fieldPath: '.modelURI',
  },
]

/** On the spec, where backends are compared and the forms meet. */
export const specRules: readonly ValidationRule[] = [
  {
    rule: '!(has(self.backends) && has(self.backend))',
    message: 'backend and backends are mutually exclusive: keep one of them',
    fieldPath: '.backend',
    reason: 'FieldValueForbidden',
  },
  {
    rule: 'has(self.backends) || has(self.backend)',
    message: 'write a list of backends here, or a single one under backend',
    fieldPath: '.backends',
    reason: 'FieldValueRequired',
  },
  {
    rule: '!has(self.backends) || self.backends.map(b, has(b.maxReplicas) ? b.maxReplicas : (has(b.replicas) ? b.replicas : 0)).sum() <= 1000000',
    message: 'maxReplicas of all backends together may not be above 1000000',
    fieldPath: '.backends',
  },
  {
    rule: '!has(self.backends) || size(self.backends) < 2 || self.backends.exists(b, b.routeWeight > 0)',
    message: 'at least one backend needs a routeWeight above 0',
    fieldPath: '.backends',
  },
  {
    rule: '!has(self.autoscalingPolicy) || !(has(self.backends) && self.backends.exists(b, has(b.autoscalingPolicy)) || has(self.backend) && has(self.backend.autoscalingPolicy))',
    message: 'the model and its backends cannot both have a policy; keep it at one level',
    fieldPath: '.autoscalingPolicy',
  },
  {
    rule: '!has(self.backends) || has(self.autoscalingPolicy) || self.backends.exists(b, has(b.autoscalingPolicy)) || self.backends.all(b, !has(b.minReplicas) || !has(b.maxReplicas) || b.minReplicas == b.maxReplicas)',
    message: 'without an autoscalingPolicy, minReplicas and maxReplicas of each backend must be equal',
    fieldPath: '.backends',
  },
  {
    rule: '!has(self.backend) || has(self.autoscalingPolicy) || has(self.backend.autoscalingPolicy) || !has(self.backend.minReplicas) || !has(self.backend.maxReplicas) || self.backend.minReplicas == self.backend.maxReplicas',
    message: 'without an autoscalingPolicy, minReplicas and maxReplicas must be equal',
    fieldPath: '.backend',
  },
  {
    rule: '!has(self.backend) || !has(self.autoscalingPolicy) || (has(self.backend.minReplicas) && has(self.backend.maxReplicas))',
    message: 'a policy needs minReplicas and maxReplicas to scale between',
    fieldPath: '.backend',
  },
  {
    rule: '!has(self.backends) || self.backends.all(b, !has(b.autoscalingPolicy) || !has(b.minReplicas) || b.minReplicas >= 1)',
    message: 'a backend with a policy of its own needs minReplicas of at least 1',
    fieldPath: '.backends',
  },
  {
    rule: '!has(self.backends) || has(self.autoscalingPolicy) || self.backends.all(b, !has(b.scalingCost) || b.scalingCost == 0)',
    message: 'scalingCost is for an autoscalingPolicy of the whole model; remove it, or set spec.autoscalingPolicy',
    fieldPath: '.backends',
    reason: 'FieldValueForbidden',
  },
  {
    rule: '!has(self.backends) || has(self.autoscalingPolicy) || self.backends.all(b, !has(b.scaleToZeroGracePeriod))',
    message:
      'scaleToZeroGracePeriod is for an autoscalingPolicy of the whole model; remove it, or set spec.autoscalingPolicy',
    fieldPath: '.backends',
    reason: 'FieldValueForbidden',
  },
  {
    rule: '!has(self.costExpansionRatePercent) || has(self.autoscalingPolicy)',
    message: 'is for an autoscalingPolicy of the whole model; remove it, or set spec.autoscalingPolicy',
    fieldPath: '.costExpansionRatePercent',
    reason: 'FieldValueForbidden',
  },
  {
    rule: '!has(self.backends) || !has(self.autoscalingPolicy) || self.backends.all(b, has(b.scalingCost) && b.scalingCost > 0)',
    message: 'with an autoscalingPolicy of the whole model each backend needs a scalingCost above 0',
    fieldPath: '.backends',
    reason: 'FieldValueRequired',
  },
  {
    rule: '!has(self.backends) || !has(self.autoscalingPolicy) || self.backends.exists(b, has(b.minReplicas) ? b.minReplicas > 0 : has(b.replicas) && b.replicas > 0)',
    message: 'with an autoscalingPolicy of the whole model at least one backend needs minReplicas above 0',
    fieldPath: '.backends',
  },
]

/** On the whole object, where its name counts. */
export const boosterRules: readonly ValidationRule[] = [
  {
    rule: `self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')`,
    message: 'must be lower case letters, digits and dashes, and begin with a letter: pods are named after it',
    fieldPath: '.metadata.name',
  },
  {
    rule: `(!has(self.spec.backends) || self.spec.backends.all(b, size(self.metadata.name) + size(b.name) <= 49)) && (!has(self.spec.backend) || size(self.metadata.name) + size(self.spec.backend.name) <= 49)`,
    message: 'with the name of a backend has more than 49 characters; pods are named <model>-<backend>-0-leader-0-0',
    fieldPath: '.metadata.name',
  },
  {
    rule: '!has(self.spec.backends) || self.spec.backends.all(b, !has(b.loraAdapters) || b.loraAdapters.all(lora, lora.name != self.metadata.name && (!has(self.spec.name) || lora.name != self.spec.name)))',
    message: 'the name of a loraAdapter must differ from that of the model: clients choose by it',
    fieldPath: '.spec.backends',
  },
]

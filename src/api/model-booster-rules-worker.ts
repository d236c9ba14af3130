/** Workers: how many of which type, their images, ports and engine arguments. */
import { isObject } from '#base/json.ts'
import { type FieldError, invalidValue } from '#machinery/field-error.ts'
import {
  backendEnv,
  configValue,
  defaultRuntimePort,
  enginePortOf,
  isGiven,
  type NormalBackend,
  type NormalWorker,
  portOf,
} from './model-booster-normal.ts'

export function checkWorkers(backend: NormalBackend): FieldError[] {
  const { path, workers } = backend
  const errors: FieldError[] = []
  for (const { path, image, given } of workers) {
    // Go's unicode.IsSpace, which the released controllers use, knows U+0085 beside the ones of \s.
    if (/[\s\u0085]/u.test(image)) errors.push(invalidValue(`${path}.image`, image, 'must not contain white space'))
    if (isGiven(given.config) && !isObject(given.config)) {
      const detail = 'must be an object of engine arguments, such as {max-model-len: 4096}'
      errors.push(invalidValue(`${path}.config`, given.config, detail))
    }
  }
  switch (backend.type) {
    case 'vLLM':
    case 'SGLang':
    case 'MindIE': {
      if (workers.length !== 1) {
        const detail = `type ${backend.type} needs exactly one worker, of type server`
        errors.push(invalidValue(`${path}.workers`, workers.length, detail))
      }
      const [worker] = workers
      if (workers.length === 1 && worker !== undefined) errors.push(...checkTypes(backend, [worker], ['server']))
      break
    }
    case 'vLLMDisaggregated':
      errors.push(...checkTypes(backend, workers, ['prefill', 'decode']))
      for (const type of ['prefill', 'decode']) {
        const count = workers.filter((worker) => worker.type === type).length
        if (count !== 1) errors.push(invalidValue(`${path}.workers`, count, `needs exactly one worker of type ${type}`))
      }
      break
    case 'MindIEDisaggregated':
      errors.push(...checkTypes(backend, workers, ['prefill', 'decode', 'controller', 'coordinator']))
      break
  }
  if (!backend.type.startsWith('MindIE')) errors.push(...checkPorts(backend))
  return errors
}

/** Settings that are each fine, and not together. */
export function checkOptions({
  path,
  type,
  recoveryPolicy,
  rolloutStrategy,
  autoscaling,
}: NormalBackend): FieldError[] {
  const errors: FieldError[] = []
  if (recoveryPolicy === 'ServingGroupRecreate' && rolloutStrategy?.type === 'RoleRollingUpdate') {
    const detail = 'does not go with RoleRollingUpdate; choose RoleRecreate or None'
    errors.push(invalidValue(`${path}.recoveryPolicy`, recoveryPolicy, detail))
  }
  const roles = type === 'vLLMDisaggregated' ? ['prefill', 'decode'] : ['leader']
  const { metricRole } = autoscaling
  if (metricRole !== undefined && !roles.includes(metricRole)) {
    const detail = `type ${type} has no such pods; write ${roles.join(' or ')}`
    errors.push(invalidValue(`${path}.autoscaling.metricRole`, metricRole, detail))
  }
  return errors
}

function checkTypes(
  backend: NormalBackend,
  workers: readonly NormalWorker[],
  allowed: readonly string[],
): FieldError[] {
  return workers
    .filter(({ type }) => !allowed.includes(type))
    .map(({ path, type }) =>
      invalidValue(`${path}.type`, type, `type ${backend.type} allows ${allowed.join(', ')} here`),
    )
}

/** All engines of a backend on one port, and the sidecar on another. */
function checkPorts(backend: NormalBackend): FieldError[] {
  const errors: FieldError[] = []
  let agreed: number | undefined = backend.engine.port
  for (const worker of backend.workers.filter(({ type }) => ['server', 'prefill', 'decode'].includes(type))) {
    const field = `${worker.path}.config.port`
    const port = enginePortOf(worker)
    if (port === undefined) {
      errors.push(invalidValue(field, configValue(worker, 'port'), 'must be a port, 1 to 65535; leave it out for 8000'))
    } else if (agreed !== undefined && port !== agreed) {
      errors.push(
        invalidValue(field, port, `different engine ports: ${agreed} is given before, write the same everywhere`),
      )
    } else agreed = port
  }
  if (backend.runtime.enabled === false) return errors
  const index = backend.env.findLastIndex(({ name }) => name === backendEnv.runtimePort)
  const given = backend.env[index]
  const runtimePort = given === undefined ? defaultRuntimePort : portOf(given.value)
  if (runtimePort !== undefined && runtimePort !== agreed) return errors
  const field = given === undefined ? `${backend.workers[0]?.path}.config.port` : `${backend.path}.env[${index}].value`
  const detail =
    runtimePort === undefined
      ? 'RUNTIME_PORT must be given literally, as a port from 1 to 65535'
      : `port ${runtimePort} cannot serve both the engine and the runtime sidecar: set RUNTIME_PORT or config.port to another`
  return [...errors, invalidValue(field, given === undefined ? agreed : given.value, detail)]
}

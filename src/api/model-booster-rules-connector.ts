/** How prefill and decode engines hand over the KV cache: `config["kv-transfer-config"]` of both workers. */
import { isObject } from '#base/json.ts'
import type { FieldError } from '#machinery/field-error.ts'
import type { KvConnectorType } from './model-server.ts'
import { configValue, type NormalBackend, type NormalWorker } from './model-booster-normal.ts'

const typeOfConnector: Readonly<Record<string, KvConnectorType>> = {
  MooncakeConnector: 'mooncake',
  MooncakeConnectorV1: 'mooncake',
  NixlConnector: 'nixl',
  LMCacheConnectorV1: 'lmcache',
}

const rolesOf: Readonly<Record<string, readonly string[]>> = {
  prefill: ['kv_producer', 'kv_both'],
  decode: ['kv_consumer', 'kv_both'],
}

/** The engine's own name of a worker's connector; `undefined` where none is set or it cannot be read. */
export function connectorNameOf(worker: NormalWorker): string | undefined {
  const read = readTransfer(worker)
  return typeof read === 'object' ? read.connector : undefined
}

/** The connector that the router must speak between prefill and decode; `undefined` for none and for a foreign one. */
export function kvConnectorOf(backend: NormalBackend): KvConnectorType | undefined {
  const name = transferWorkers(backend)
    .map(connectorNameOf)
    .find((found) => found !== undefined)
  return name === undefined ? undefined : mapped(name)
}

/** Connectors that the router does not know; it then hands over prefill's answer over plain HTTP. */
export function unknownConnectors(backend: NormalBackend): { readonly field: string; readonly name: string }[] {
  return transferWorkers(backend).flatMap((worker) => {
    const name = connectorNameOf(worker)
    return name === undefined || mapped(name) !== undefined ? [] : [{ field: transferPath(worker), name }]
  })
}

/** Both workers name the same connector, each with its own role in it. Reported on the list of workers. */
export function checkConnector(backend: NormalBackend): FieldError[] {
  const workers = transferWorkers(backend)
  const problems = workers.flatMap((worker) => {
    const read = readTransfer(worker)
    if (read === undefined) return []
    const detail = typeof read === 'string' ? read : roleProblem(worker, read.role)
    return detail === undefined ? [] : [`${worker.type} worker: ${detail}`]
  })
  if (problems.length === 0) {
    const set = workers.filter((worker) => readTransfer(worker) !== undefined)
    const without = workers.find((worker) => readTransfer(worker) === undefined)
    const names = set.map((worker) => connectorNameOf(worker) ?? '')
    if (set.length > 0 && without !== undefined) {
      problems.push(
        `the ${without.type} worker has no config.kv-transfer-config, but the other one has: set it on both`,
      )
    } else if (new Set(names.map((name) => mapped(name) ?? name)).size > 1) {
      problems.push(`prefill and decode use different connectors (${names.join(', ')}): set the same on both`)
    }
  }
  const field = `${backend.path}.workers`
  return problems.map((detail) => ({ field, type: 'FieldValueInvalid', value: backend.name, detail }))
}

interface Transfer {
  readonly connector: string
  readonly role: unknown
}

/** What the worker says, `undefined` if nothing, or a text with what is wrong. */
function readTransfer(worker: NormalWorker): Transfer | string | undefined {
  const value = configValue(worker, 'kv-transfer-config')
  if (value === undefined || value === null) return undefined
  const parsed = typeof value === 'string' ? parse(value) : value
  if (!isObject(parsed)) return 'config.kv-transfer-config must be a JSON object, or a string that holds one'
  const { kv_connector: connector, kv_role: role } = parsed
  if (typeof connector !== 'string' || connector === '') {
    return `kv_connector is missing in config.kv-transfer-config: write one of ${Object.keys(typeOfConnector).join(', ')}`
  }
  return { connector, role }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // the caller says so
  }
}

function roleProblem(worker: NormalWorker, role: unknown): string | undefined {
  const allowed = rolesOf[worker.type] ?? []
  if (typeof role === 'string' && allowed.includes(role)) return undefined
  const found = role === undefined ? 'is missing' : `is ${JSON.stringify(role)}`
  return `kv_role in config.kv-transfer-config ${found}: write ${allowed.join(' or ')}`
}

function transferWorkers(backend: NormalBackend): readonly NormalWorker[] {
  return backend.workers.filter((worker) => Object.hasOwn(rolesOf, worker.type))
}

function transferPath(worker: NormalWorker): string {
  return `${worker.path}.config.kv-transfer-config`
}

function mapped(name: string): KvConnectorType | undefined {
  return Object.hasOwn(typeOfConnector, name) ? typeOfConnector[name] : undefined
}

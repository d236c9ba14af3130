/**
 * What objects need and a cluster does not have: seen with the rights of whoever asks. What they may not see is passed
 * over; the controller tells it from what becomes of the pods.
 */
import { ConfigMap, Node, PersistentVolumeClaim, Secret } from '#api/core/kinds.ts'
import type { Container, PodSpec } from '#api/core/types.generated.ts'
import { familyOf, isRoute, isServing } from '#api/family-kinds.ts'
import type { ModelRoute } from '#api/model-route.ts'
import type { ModelServing } from '#api/model-serving.ts'
import { isFault } from '#base/fault.ts'
import type { Client } from '#kube/client.ts'
import { type Kind, keyOf, metadataOf, placeOf } from '#machinery/kind.ts'
import type { Resource } from '#machinery/meta.ts'
import { tryParseQuantity } from '#machinery/quantity.ts'

/** A sentence for each, with the mend. */
export async function crossChecks(client: Client, children: readonly Resource[]): Promise<string[]> {
  const pods = children.filter((child) => isServing(child)).flatMap(podsOf)
  const routes = children.filter((child) => isRoute(child))
  const [needs, resources, rivals] = await Promise.all([
    missingNeeds(client, pods),
    missingResources(client, pods),
    rivalRoutes(client, routes),
  ])
  return [...needs, ...resources, ...rivals]
}

interface Template {
  readonly serving: string
  readonly namespace: string | undefined
  readonly spec: PodSpec
}

function podsOf({ metadata: { name = '', namespace }, spec }: ModelServing): Template[] {
  return spec.template.roles
    .flatMap(({ entryTemplate, workerTemplate, workerReplicas }) =>
      workerTemplate === undefined || workerReplicas === 0 ? [entryTemplate] : [entryTemplate, workerTemplate],
    )
    .map((template) => ({ serving: name, namespace, spec: template.spec }))
}

async function missingNeeds(client: Client, pods: readonly Template[]): Promise<string[]> {
  const needs = new Map<string, { readonly kind: Kind; readonly template: Template; readonly name: string }>()
  for (const template of pods) {
    for (const [kind, name] of needsOf(template.spec))
      needs.set(`${kind.kind} ${keyOf({ namespace: template.namespace, name })}`, { kind, template, name })
  }
  const found = await Promise.all(
    [...needs.values()].map(async ({ kind, template: { namespace, serving }, name }) => {
      // Of a Secret only its name crosses the line.
      const isMissing = await absent(client.get(metadataOf(kind), { namespace, name }))
      return isMissing
        ? `ModelServing ${serving} needs ${kind.kind} ${name}, which is not there: create it, or correct its name`
        : undefined
    }),
  )
  return found.filter((line) => line !== undefined)
}

function needsOf({ containers, initContainers = [], volumes = [], imagePullSecrets = [] }: PodSpec): [Kind, string][] {
  const ofVolumes = volumes.flatMap(
    ({ persistentVolumeClaim: claim, secret, configMap }): [Kind, string | undefined][] => [
      [PersistentVolumeClaim, claim?.claimName],
      [Secret, secret?.optional === true ? undefined : secret?.secretName],
      [ConfigMap, configMap?.optional === true ? undefined : configMap?.name],
    ],
  )
  const pulls = imagePullSecrets.map(({ name }): [Kind, string | undefined] => [Secret, name])
  const all = [...ofVolumes, ...pulls, ...[...initContainers, ...containers].flatMap(needsOfContainer)]
  return all.flatMap(([kind, name]): [Kind, string][] => (name === undefined ? [] : [[kind, name]]))
}

function needsOfContainer({ env = [], envFrom = [] }: Container): [Kind, string | undefined][] {
  const required = (ref: { name?: string | undefined; optional?: boolean | undefined } | undefined) =>
    ref?.optional === true ? undefined : ref?.name
  return [
    ...envFrom.flatMap(({ secretRef, configMapRef }): [Kind, string | undefined][] => [
      [Secret, required(secretRef)],
      [ConfigMap, required(configMapRef)],
    ]),
    ...env.flatMap(({ valueFrom }): [Kind, string | undefined][] => [
      [Secret, required(valueFrom?.secretKeyRef)],
      [ConfigMap, required(valueFrom?.configMapKeyRef)],
    ]),
  ]
}

/** Of the resources that are not every node's: GPUs and the like. */
async function missingResources(client: Client, pods: readonly Template[]): Promise<string[]> {
  const nodes = await seen(client.list(Node))
  if (nodes === undefined) return []
  const most = (resource: string): number =>
    Math.max(
      0,
      ...nodes.items.map(({ status }) => amountOf(status?.allocatable?.[resource] ?? status?.capacity?.[resource])),
    )
  const lines = pods.flatMap(({ serving, spec }) => {
    const asked = new Map<string, number>()
    for (const { resources } of spec.containers) {
      for (const [name, amount] of Object.entries({ ...resources?.requests, ...resources?.limits }))
        if (name.includes('/')) asked.set(name, (asked.get(name) ?? 0) + amountOf(amount))
    }
    return [...asked].flatMap(([name, amount]) => {
      const largest = most(name)
      if (amount <= largest) return []
      const there = largest === 0 ? 'which no node offers' : `and no node has more than ${largest}`
      return [`a pod of ModelServing ${serving} asks for ${amount} ${name}, ${there}: ask for less, or add such a node`]
    })
  })
  return [...new Set(lines)]
}

function amountOf(quantity: unknown): number {
  const parsed =
    typeof quantity === 'string' || typeof quantity === 'number' ? tryParseQuantity(String(quantity)) : undefined
  return parsed === undefined ? 0 : Number(parsed.nanos) / 1e9
}

async function rivalRoutes(client: Client, own: readonly ModelRoute[]): Promise<string[]> {
  const [first] = own
  const all = first === undefined ? undefined : await seen(client.list(familyOf(first).route))
  const ours = new Set(own.map((route) => keyOf(placeOf(route))))
  const others = (all?.items ?? []).filter((route) => !ours.has(keyOf(placeOf(route))))
  return own.flatMap((route) => {
    const names = new Set(namesOf(route))
    return others.flatMap((other) =>
      namesOf(other)
        .filter((name) => names.has(name))
        .map(
          (name) =>
            `ModelRoute ${keyOf(placeOf(other))} has the name ${name} too, and the older route goes first: rename one of the two`,
        ),
    )
  })
}

const namesOf = ({ spec }: ModelRoute): string[] => [
  ...(spec.modelName ? [spec.modelName] : []),
  ...(spec.loraAdapters ?? []),
]

async function absent(call: Promise<unknown>): Promise<boolean> {
  try {
    await call
    return false
  } catch (error) {
    if (isFault(error, 'missing')) return true
    if (isFault(error, 'denied')) return false
    throw error
  }
}

/** `undefined` where they may not be seen. */
async function seen<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call
  } catch (error) {
    if (isFault(error, 'denied')) return undefined
    throw error
  }
}

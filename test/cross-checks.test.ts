/** What a plan needs and a cluster does not have is said before anything is applied. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ModelBooster } from '#api/model-booster.ts'
import { Fault } from '#base/fault.ts'
import { crossChecks } from '#cli/cross-checks.ts'
import { ImaginedCluster } from '#cli/imagined-cluster.ts'
import { planChildren } from '#cli/planned.ts'
import type { Client } from '#kube/client.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { backend, modelBooster } from './builders.ts'
import { startWorld } from './world.ts'

const wishes = (name: string): AnyResource =>
  modelBooster(name, {
    backends: [
      backend('a', {
        cacheURI: 'pvc://weights',
        envFrom: [{ secretRef: { name: 'keys' } }, { configMapRef: { name: 'settings' } }],
        env: [{ name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'token', key: 't', optional: true } } }],
        imagePullSecrets: [{ name: 'registry' }],
        loraAdapters: [{ name: 'sql', artifactURL: 'hf://o/sql' }],
        workers: [
          {
            type: 'server',
            image: 'i',
            resources: { limits: { 'amd.com/gpu': '1', 'nvidia.com/gpu': '8', cpu: '4' } },
          },
        ],
      }),
    ],
  })
const named = (apiVersion: string, kind: string, name: string, rest: object = {}): AnyResource => ({
  apiVersion,
  kind,
  metadata: { name, namespace: 'default' },
  ...rest,
})

test('secrets, config maps, claims, resources and rivals are named, each with the mend, until they are there', async (t) => {
  const world = await startWorld(t, {
    controllers: [],
    nodes: [{ name: 'one', capacity: { 'nvidia.com/gpu': '4', cpu: '64', memory: '256Gi', pods: '100' } }],
  })
  await world.apply(
    named('networking.serving.volcano.sh/v1alpha1', 'ModelRoute', 'older', {
      spec: { modelName: 'chat', loraAdapters: ['sql'], rules: [{ targetModels: [{ modelServerName: 'x' }] }] },
    }),
  )
  const booster = await world.client.create(ModelBooster, wishes('chat') as unknown as ModelBooster)
  const { changes } = planChildren(booster, new ImaginedCluster(), undefined, 0)
  const children = changes.map(({ object }) => object)
  const needs = (kind: string, name: string) =>
    `ModelServing chat-a needs ${kind} ${name}, which is not there: create it, or correct its name`
  const rest = [
    'a pod of ModelServing chat-a asks for 1 amd.com/gpu, which no node offers: ask for less, or add such a node',
    'a pod of ModelServing chat-a asks for 8 nvidia.com/gpu, and no node has more than 4: ask for less, or add such a node',
    'ModelRoute default/older has the name chat too, and the older route goes first: rename one of the two',
    'ModelRoute default/older has the name sql too, and the older route goes first: rename one of the two',
  ]
  assert.deepEqual(await crossChecks(world.client, children), [
    needs('PersistentVolumeClaim', 'weights'),
    needs('Secret', 'registry'),
    needs('Secret', 'keys'),
    needs('ConfigMap', 'settings'),
    ...rest,
  ])
  await world.apply(named('v1', 'Secret', 'keys'))
  await world.apply(named('v1', 'Secret', 'registry'))
  await world.apply(named('v1', 'ConfigMap', 'settings'))
  await world.apply(
    named('v1', 'PersistentVolumeClaim', 'weights', {
      spec: { accessModes: ['ReadWriteMany'], resources: { requests: { storage: '1Gi' } } },
    }),
  )
  assert.deepEqual(await crossChecks(world.client, children), rest)
})

test('who may see nothing is told nothing', async () => {
  const denied = () => Promise.reject(new Fault('denied', 'Forbidden', 'no'))
  const client = { get: denied, list: denied } as unknown as Client
  const booster = {
    ...wishes('chat'),
    metadata: { name: 'chat', namespace: 'default', uid: 'u' },
  } as unknown as ModelBooster
  const { changes } = planChildren(booster, new ImaginedCluster(), undefined, 0)
  assert.deepEqual(
    await crossChecks(
      client,
      changes.map(({ object }) => object),
    ),
    [],
  )
})

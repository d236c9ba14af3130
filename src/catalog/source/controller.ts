import { AIMClusterModelSource, type AIMClusterModelSourceStatus } from '#api/aim-cluster-model-source.ts'
import { AIMClusterModel } from '#api/aim-model.ts'
import type { ControllerDefinition } from '#controller/controller.ts'
import type { Index, Reader } from '#controller/domain.ts'
import { controllerOf } from '#controller/owned.ts'
import { keyOf, placeOf } from '#machinery/kind.ts'
import type { Resource } from '#machinery/meta.ts'
import { controllerNames } from '../names.ts'
import { isLeftAlone } from '../paused.ts'
import { secretNames, secretReferences } from '../references.ts'
import { type Observed, observe, type SourceMeans } from './observe.ts'
import { plan } from './plan.ts'
import { status } from './status.ts'

/** Few: each may wait for a registry. */
const workers = 2

/** Makes the models of every AIMClusterModelSource. `undefined` is observed of those that shall be left alone. */
export function modelSourceController(
  means: SourceMeans,
): ControllerDefinition<AIMClusterModelSource, Observed | undefined, AIMClusterModelSourceStatus> {
  return {
    name: controllerNames.modelSource,
    kind: AIMClusterModelSource,
    workers,
    domain: {
      observe: (source, read, signal) =>
        isLeftAlone(source) ? undefined : observe(source, { ...means, read, signal }),
      plan: (source, observed, nowMs) => (observed === undefined ? { stages: [] } : plan(source, observed, nowMs)),
      status: (source, observed, outcome, nowMs) => observed && status(source, observed, outcome, nowMs),
    },
    watches: [
      { kind: AIMClusterModel, keysOf: sourceOf },
      {
        kind: secretNames,
        keysOf: ({ metadata: { name = '', namespace } }, read) =>
          namespace === means.systemNamespace ? sourcesNaming(name, read) : [],
      },
    ],
  }
}

function sourceOf(model: Resource): string[] {
  const owner = controllerOf(model)
  return owner?.kind === AIMClusterModelSource.kind ? [owner.name] : []
}

const bySecret: Index<AIMClusterModelSource> = {
  name: 'aimSourceSecret',
  valuesOf: ({ spec }) => secretReferences(spec.imagePullSecrets).map(({ name }) => name),
}

function sourcesNaming(secret: string, read: Reader): string[] {
  return read.find(AIMClusterModelSource, bySecret, secret).map((source) => keyOf(placeOf(source)))
}

/** How a service runs its model: by the template that it names, that it was given before, or the best there is. */
import { AIMClusterModel } from '#api/aim-model.ts'
import type { AIMService } from '#api/aim-service.ts'
import { AIMClusterServiceTemplate, AIMServiceTemplate } from '#api/aim-service-template.ts'
import type { Reader } from '#controller/domain.ts'
import type { Inventory } from '../gpu/inventory.ts'
import { sameImage } from '../image.ts'
import { templatesByModel } from '../indexes.ts'
import { isStaleTemplate } from '../model/stale.ts'
import type { FoundModel } from '../template/lookup.ts'
import type { CanonicalService } from './canonical.ts'
import { type Candidate, type Selection, selectTemplate, unmetOverrides } from './selection.ts'

export interface TemplateResolution {
  readonly found: Candidate | undefined
  readonly selection: Selection | undefined
}

interface Circumstances {
  readonly model: FoundModel | undefined
  readonly inventory: Inventory
  readonly read: Reader
}

export function resolveTemplate(
  service: AIMService,
  canonical: CanonicalService,
  { model, inventory, read }: Circumstances,
): TemplateResolution {
  const { namespace, templateName } = canonical
  if (templateName !== undefined) return { found: templateNamed(templateName, namespace, read), selection: undefined }
  if (model === undefined) return { found: undefined, selection: undefined }
  const { allowUnoptimized, overrides } = canonical
  const preferred = model.model.spec.defaultServiceTemplate
  const wish = { allowUnoptimized, overrides, preferred, inventory }
  const selection = selectTemplate(candidatesOf(model, namespace, read), wish)
  // What was chosen stays, as long as it is ready and nobody asks for something else: a better one that comes later is no
  // reason to restart everything.
  const pin = service.status?.resolvedTemplate
  const kept = pin?.name === undefined ? undefined : templateNamed(pin.name, namespace, read)
  const isKept =
    kept !== undefined &&
    kept.template.metadata.uid === pin?.uid &&
    kept.template.status?.status === 'Ready' &&
    unmetOverrides(kept.template, overrides).length === 0
  return { found: isKept ? kept : selection.chosen, selection }
}

function templateNamed(name: string, namespace: string, read: Reader): Candidate | undefined {
  const own = read.get(AIMServiceTemplate, { namespace, name })
  if (own !== undefined) return { template: own, scope: 'Namespace' }
  const shared = read.get(AIMClusterServiceTemplate, { name })
  return shared && { template: shared, scope: 'Cluster' }
}

/** The cluster's only where its model of that name has the same image: a profile of another would mislead. */
function candidatesOf({ model, scope }: FoundModel, namespace: string, read: Reader): Candidate[] {
  const name = model.metadata.name ?? ''
  const own = read
    .find(AIMServiceTemplate, templatesByModel, name)
    .filter(({ metadata }) => metadata.namespace === namespace)
  const sharedModel = read.get(AIMClusterModel, { name })
  const isSame =
    scope === 'Cluster' || (sharedModel !== undefined && sameImage(sharedModel.spec.image, model.spec.image))
  const shared = isSame ? read.find(AIMClusterServiceTemplate, templatesByModel, name) : []
  return [
    ...own.map((template): Candidate => ({ template, scope: 'Namespace' })),
    ...shared.map((template): Candidate => ({ template, scope: 'Cluster' })),
  ].filter(({ template }) => template.metadata.deletionTimestamp === undefined && !isStaleTemplate(template))
}

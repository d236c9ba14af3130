/** How the catalog's objects are found in the caches without a look at each of them. */
import type { AIMModel } from '#api/aim-model.ts'
import type { AIMService } from '#api/aim-service.ts'
import type { AIMServiceTemplate } from '#api/aim-service-template.ts'
import type { Index } from '#controller/domain.ts'
import { defaultConfig } from './runtime-config.ts'

export const templatesByModel: Index<AIMServiceTemplate> = {
  name: 'aimModelName',
  valuesOf: ({ spec }) => [spec.modelName],
}

/** By the templates that they name or were given. */
export const servicesByTemplate: Index<AIMService> = {
  name: 'aimTemplateName',
  valuesOf: ({ spec, status }) => {
    const names = [spec.template?.name, spec.templateName, status?.resolvedTemplate?.name]
    return [...new Set(names.flatMap((name) => name ?? []))]
  },
}

interface WithConfig {
  readonly spec: { readonly runtimeConfigName?: string | undefined }
}

export function configNameOf({ spec }: WithConfig): string {
  return spec.runtimeConfigName || defaultConfig
}

export const modelsByConfig: Index<AIMModel> = { name: 'aimConfig', valuesOf: (model) => [configNameOf(model)] }
export const templatesByConfig: Index<AIMServiceTemplate> = {
  name: 'aimConfig',
  valuesOf: (template) => [configNameOf(template)],
}

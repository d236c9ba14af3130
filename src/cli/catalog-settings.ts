import type { CatalogOptions } from './catalog.ts'
import type { Io } from './io.ts'
import { registrySettings } from './registries-config.ts'

/** What the command line and the environment say of the catalog. */
export function catalogSettings(
  { registries }: { readonly registries?: string },
  io: Pick<Io, 'env'>,
): Pick<CatalogOptions, 'registries' | 'systemNamespace'> {
  const systemNamespace = io.env['AIM_SYSTEM_NAMESPACE']
  return { registries: registrySettings(registries, io), ...(systemNamespace && { systemNamespace }) }
}

import type { RegistrySettings } from '#oci/settings.ts'
import type { CatalogOptions } from './catalog.ts'
import type { Io } from './io.ts'

/** What the command line and the environment say of the catalog. */
export async function catalogSettings(
  { registries }: { readonly registries?: string },
  { env }: Pick<Io, 'env'>,
): Promise<Pick<CatalogOptions, 'registries' | 'systemNamespace'>> {
  const inFile = registries === undefined ? {} : (await import('./registries-file.ts')).registriesIn(registries)
  const systemNamespace = env['AIM_SYSTEM_NAMESPACE']
  return { registries: { ...inFile, proxy: proxyIn(env) }, ...(systemNamespace && { systemNamespace }) }
}

/** As most programs read them: small letters first. */
function proxyIn(env: Io['env']): NonNullable<RegistrySettings['proxy']> {
  const either = (name: string) => env[name] || env[name.toUpperCase()]
  return { http: either('http_proxy'), https: either('https_proxy'), no: either('no_proxy') }
}

import { type FieldError, invalidValue } from '#machinery/field-error.ts'
import type { NormalBackend } from './model-booster-normal.ts'

/** Where a backend keeps its weights, and where its containers see them. */
export interface Cache {
  readonly kind: 'emptyDir' | 'pvc' | 'hostPath'
  /** Absolute, cleaned, without a trailing slash. */
  readonly mountPath: string
  readonly claimName?: string
  readonly subPath?: string
  readonly hostPath?: string
}

const defaultMountPath = '/cache'
const claimScheme = 'pvc://'
const hostScheme = 'hostpath://'

/**
 * The cache that a `cacheURI` names; none names an `emptyDir`. `pvc://claim/a/b` is the directory `a/b` of a claim.
 * `undefined` for a scheme that is not known, and where claim or path is missing or climbs with `..`.
 */
export function cacheOf(cacheURI: string | undefined): Cache | undefined {
  if (cacheURI === undefined) return { kind: 'emptyDir', mountPath: defaultMountPath }
  const path = pathOf(cacheURI)
  if (path === '/' || path.split('/').includes('..')) return undefined
  if (cacheURI.startsWith(hostScheme)) return { kind: 'hostPath', mountPath: path, hostPath: path }
  if (!cacheURI.startsWith(claimScheme)) return undefined
  const [claimName = '', ...below] = path.slice(1).split('/')
  const subPath = below.join('/')
  return { kind: 'pvc', mountPath: path, claimName, ...(subPath === '' ? {} : { subPath }) }
}

/** What follows the scheme, as an absolute path; `.` and empty segments are dropped, `..` stays to be refused. */
function pathOf(uri: string): string {
  const rest = uri.slice(uri.indexOf('://') + 3).replace(/\?.*$/s, '')
  const segments = rest.split('/').filter((segment) => segment !== '' && segment !== '.')
  return `/${segments.join('/')}`
}

function isClaim(uri: string | undefined): boolean {
  return uri?.startsWith(claimScheme) ?? false
}

/** The cache can be mounted, and every source on a claim can be reached through it. */
export function checkStorage(backend: NormalBackend): FieldError[] {
  const { path, modelURI, cacheURI, loras } = backend
  const cache = cacheOf(cacheURI)
  const errors: FieldError[] = []
  if (isClaim(modelURI)) errors.push(...checkClaimSource(backend, cache))
  else if (cache === undefined) errors.push(noCache(path, cacheURI))
  for (const [k, lora] of loras.entries()) {
    if (!isClaim(lora.artifactURL)) continue
    const detail = climbs(lora.artifactURL)
      ? 'must not contain a ".." segment'
      : cache?.kind !== 'pvc'
        ? 'a pvc:// adapter is read through the cache mount: set cacheURI to pvc:// and the same claim'
        : unreachable(lora.artifactURL, cache)
    if (detail !== undefined)
      errors.push(invalidValue(`${path}.loraAdapters[${k}].artifactURL`, lora.artifactURL, detail))
  }
  return errors
}

/** The first that fails, for each next one presumes the one before. */
function checkClaimSource({ path, modelURI, cacheURI }: NormalBackend, cache: Cache | undefined): FieldError[] {
  if (!isClaim(cacheURI)) {
    const detail = 'with a pvc:// modelURI this must be pvc:// too: the downloader mounts only the cache volume'
    return [invalidValue(`${path}.cacheURI`, cacheURI ?? '', detail)]
  }
  if (climbs(modelURI)) return [invalidValue(`${path}.modelURI`, modelURI, 'must not contain a ".." segment')]
  if (cache === undefined) return [noCache(path, cacheURI)]
  const detail = unreachable(modelURI, cache)
  return detail === undefined ? [] : [invalidValue(`${path}.modelURI`, modelURI, detail)]
}

function climbs(uri: string): boolean {
  return uri
    .replace(/^pvc:\/\//, '')
    .split('/')
    .includes('..')
}

function unreachable(uri: string, cache: Cache): string | undefined {
  const source = pathOf(uri)
  const { mountPath } = cache
  if (source === mountPath || source.startsWith(`${mountPath}/`)) return undefined
  return `${source} lies outside the cache mount ${mountPath}: name the claim first, as in pvc:/${mountPath}/path/of/model`
}

function noCache(path: string, cacheURI: string | undefined): FieldError {
  const detail = 'write pvc://CLAIM, pvc://CLAIM/SUB/DIR or hostpath:///PATH, without ".." segments'
  return invalidValue(`${path}.cacheURI`, cacheURI, detail)
}

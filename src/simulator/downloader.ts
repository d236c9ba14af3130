import type { SimulateOptions } from './simulate-options.ts'

/**
 * Why a download cannot work, in the words for its log; undefined when it can. Nothing is fetched: only what would
 * surely fail does, such as object storage without its keys.
 */
export function downloadProblem(
  source: string,
  env: Readonly<Record<string, string>>,
  simulate: SimulateOptions,
): string | undefined {
  if (simulate['fail-download'] > 0) return 'simulated failure of the download'
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(source)?.[1]?.toLowerCase()
  if (scheme === 's3' || scheme === 'obs') {
    const absent = ['ACCESS_KEY', 'SECRET_KEY'].filter((name) => (env[name] ?? '') === '')
    if (absent.length > 0) {
      return `${absent.join(' and ')} must be set to download from ${scheme}://: add ${absent.length > 1 ? 'them' : 'it'} to the backend's env or envFrom`
    }
    return undefined
  }
  if (scheme === undefined || ['hf', 'ms', 'pvc'].includes(scheme)) return undefined
  return `unsupported scheme ${scheme}:// (known: hf, ms, s3, obs, pvc)`
}

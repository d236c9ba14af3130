/** The init container that fetches weights and adapters before an engine starts. */

/** What it reads from its environment besides proxies: where to fetch from, and credentials. */
const environment: ReadonlySet<string> = new Set([
  'ENDPOINT',
  'HF_ENDPOINT',
  'HF_AUTH_TOKEN',
  'HF_REVISION',
  'MS_TOKEN',
  'MS_REVISION',
  'ACCESS_KEY',
  'SECRET_KEY',
])

export function isDownloaderEnv(name: string): boolean {
  return environment.has(name) || /_PROXY$/i.test(name)
}

/** It fetches `source` (hf, ms, s3, obs or pvc) into the directory `target`. */
export function downloaderArguments(source: string, target: string): string[] {
  return ['--source', source, '--output-dir', target]
}

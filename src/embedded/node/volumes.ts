import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join, normalize } from 'node:path'
import type { ConfigMap, Container, Pod, Secret } from '#api/core/types.generated.ts'
import { Fault } from '#base/fault.ts'
import { secretText } from './environment.ts'

export interface VolumeSources {
  readonly dataDir: string
  readonly secret: (name: string) => Secret | undefined
  readonly configMap: (name: string) => ConfigMap | undefined
  /** Mount path → directory, as the runtimes file has it; wins over the volume. */
  readonly overrides: Readonly<Record<string, string>>
}

/**
 * Makes the directories behind a container's mounts: mount path → directory of this machine.
 * Throws a Fault of kind `missing` when a Secret or ConfigMap is not there.
 */
export async function prepareVolumes(
  pod: Pod,
  container: Container,
  sources: VolumeSources,
): Promise<ReadonlyMap<string, string>> {
  const mounts = new Map<string, string>()
  for (const { name, mountPath, subPath } of container.volumeMounts ?? []) {
    const override = sources.overrides[mountPath]
    const root = override ?? (await directoryOf(pod, name, sources))
    const directory = subPath === undefined ? root : join(root, normalize(`/${subPath}`))
    await mkdir(directory, { recursive: true })
    mounts.set(mountPath.replace(/\/+$/, ''), directory)
  }
  return mounts
}

/** Removes what a pod had for itself; claims and host paths stay. */
export async function removeVolumes(pod: Pod, dataDir: string): Promise<void> {
  await rm(podDirectory(pod, dataDir), { recursive: true, force: true })
}

function podDirectory(pod: Pod, dataDir: string): string {
  return join(dataDir, 'pods', pod.metadata.uid ?? 'unknown')
}

async function directoryOf(pod: Pod, name: string, sources: VolumeSources): Promise<string> {
  const volume = pod.spec?.volumes?.find((one) => one.name === name)
  const { namespace = '' } = pod.metadata
  const own = join(podDirectory(pod, sources.dataDir), 'volumes', name)
  if (volume?.hostPath !== undefined) return volume.hostPath.path
  if (volume?.persistentVolumeClaim !== undefined) {
    return join(sources.dataDir, 'claims', namespace, volume.persistentVolumeClaim.claimName)
  }
  if (volume?.configMap !== undefined) {
    const { name: source = '', optional, items } = volume.configMap
    await writeFiles(own, filesOf(`configmap "${source}"`, sources.configMap(source)?.data, optional, items))
  } else if (volume?.secret !== undefined) {
    const { secretName = '', optional, items } = volume.secret
    await writeFiles(own, filesOf(`secret "${secretName}"`, secretText(sources.secret(secretName)), optional, items))
  }
  return own
}

function filesOf(
  what: string,
  data: Readonly<Record<string, string>> | undefined,
  optional: boolean | undefined,
  items: readonly { readonly key: string; readonly path: string }[] | undefined,
): [string, string][] {
  if (data === undefined && optional !== true) throw new Fault('missing', 'VolumeSourceMissing', `${what} not found`)
  if (items === undefined) return Object.entries(data ?? {})
  return items.flatMap(({ key, path }) => {
    const value = data?.[key]
    return value === undefined ? [] : [[path, value] as [string, string]]
  })
}

async function writeFiles(directory: string, files: readonly [string, string][]): Promise<void> {
  for (const [path, content] of files) {
    const file = join(directory, normalize(`/${path}`))
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, content, { mode: 0o600 })
  }
}

import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join, normalize } from 'node:path'
import type { ConfigMap, Container, Pod, Secret } from '#api/core/types.generated.ts'
import { Fault } from '#base/fault.ts'

export interface VolumeSources {
  readonly dataDir: string
  readonly secret: (name: string) => Secret | undefined
  readonly configMap: (name: string) => ConfigMap | undefined
  /** Mount path → directory, as the runtimes file has it; wins over the volume. */
  readonly overrides: Readonly<Record<string, string>>
}

/**
 * Makes the directories behind a container's mounts: mount path → directory of this machine.
 * Throws a Fault of kind `missing` when a Secret, a ConfigMap or a key of it is not there.
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
    const found = sources.configMap(source)
    await writeFiles(own, filesOf(`configmap "${source}"`, found && contentsOf(found), optional, items))
  } else if (volume?.secret !== undefined) {
    const { secretName = '', optional, items } = volume.secret
    const found = sources.secret(secretName)
    await writeFiles(own, filesOf(`secret "${secretName}"`, found && bytesOf(found.data), optional, items))
  }
  return own
}

type Files = ReadonlyMap<string, Buffer>

/** What need not be text is in base64. */
function bytesOf(encoded: Readonly<Record<string, string>> = {}): Files {
  return new Map(Object.entries(encoded).map(([key, value]) => [key, Buffer.from(value, 'base64')]))
}

function contentsOf({ data = {}, binaryData }: ConfigMap): Files {
  const texts = Object.entries(data).map(([key, text]) => [key, Buffer.from(text)] as const)
  return new Map([...texts, ...bytesOf(binaryData)])
}

function filesOf(
  what: string,
  contents: Files | undefined,
  optional: boolean | undefined,
  items: readonly { readonly key: string; readonly path: string }[] | undefined,
): Files {
  const missing = (why: string): Fault => new Fault('missing', 'VolumeSourceMissing', `${what} ${why}`)
  if (contents === undefined && optional !== true) throw missing('not found')
  if (items === undefined) return contents ?? new Map()
  const files = new Map<string, Buffer>()
  for (const { key, path } of items) {
    const content = contents?.get(key)
    if (content !== undefined) files.set(path, content)
    else if (optional !== true) throw missing(`has no key "${key}"`)
  }
  return files
}

async function writeFiles(directory: string, files: Files): Promise<void> {
  for (const [path, content] of files) {
    const file = join(directory, normalize(`/${path}`))
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, content, { mode: 0o600 })
  }
}

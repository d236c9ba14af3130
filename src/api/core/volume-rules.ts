import { type FieldError, duplicateField, forbiddenField, invalidField, requiredField } from '#machinery/field-error.ts'
import { dns1123LabelErrors } from '#machinery/names.ts'
import { backstepErrors, relativePathErrors } from './container-rules.ts'
import type { KeyToPath, Volume } from './types.generated.ts'

/** What must hold of the volumes of a pod. Pure. Source: Kubernetes, pkg/apis/core/validation/validation.go. */
export function volumesErrors(field: string, volumes: readonly Volume[]): FieldError[] {
  const names = new Set<string>()
  return volumes.flatMap((volume, i) => {
    const at = `${field}[${i}]`
    const { name } = volume
    const errors = [
      ...sourceErrors(at, volume),
      ...(name === '' ? [requiredField(`${at}.name`)] : invalidField(`${at}.name`, name, ...dns1123LabelErrors(name))),
      ...(names.has(name) ? [duplicateField(`${at}.name`, name)] : []),
    ]
    names.add(name)
    return errors
  })
}

/** In the order in which Kubernetes looks for them; all but the first are refused. */
const sources = [
  'emptyDir',
  'hostPath',
  'gitRepo',
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'secret',
  'nfs',
  'iscsi',
  'glusterfs',
  'flocker',
  'persistentVolumeClaim',
  'rbd',
  'cinder',
  'cephfs',
  'quobyte',
  'downwardAPI',
  'fc',
  'flexVolume',
  'configMap',
  'azureFile',
  'vsphereVolume',
  'photonPersistentDisk',
  'portworxVolume',
  'azureDisk',
  'storageos',
  'projected',
  'scaleIO',
  'csi',
  'ephemeral',
  'image',
] as const satisfies readonly (keyof Volume)[]

function sourceErrors(at: string, volume: Volume): FieldError[] {
  const [first, ...others] = sources.filter((name) => volume[name] !== undefined)
  if (first === undefined) return [requiredField(at, 'must specify a volume type')]
  return [
    ...firstErrors(`${at}.${first}`, volume),
    ...others.map((name) => forbiddenField(`${at}.${name}`, 'may not specify more than 1 volume type')),
  ]
}

function firstErrors(at: string, { hostPath, secret, configMap, persistentVolumeClaim }: Volume): FieldError[] {
  if (hostPath !== undefined)
    return hostPath.path === '' ? [requiredField(`${at}.path`)] : backstepErrors(`${at}.path`, hostPath.path)
  if (secret !== undefined) return filesErrors(at, 'secretName', secret.secretName, secret)
  if (persistentVolumeClaim !== undefined)
    return persistentVolumeClaim.claimName === '' ? [requiredField(`${at}.claimName`)] : []
  return configMap === undefined ? [] : filesErrors(at, 'name', configMap.name, configMap)
}

interface Files {
  readonly defaultMode?: number | undefined
  readonly items?: readonly KeyToPath[] | undefined
}

function filesErrors(at: string, member: string, name = '', { defaultMode, items = [] }: Files): FieldError[] {
  return [
    ...(name === '' ? [requiredField(`${at}.${member}`)] : []),
    ...modeErrors(`${at}.defaultMode`, defaultMode),
    ...items.flatMap(({ key, path, mode }, i) => [
      ...(key === '' ? [requiredField(`${at}.items[${i}].key`)] : []),
      ...(path === '' ? [requiredField(`${at}.items[${i}].path`)] : []),
      ...relativePathErrors(`${at}.items[${i}].path`, path),
      ...modeErrors(`${at}.items[${i}].mode`, mode),
    ]),
  ]
}

function modeErrors(field: string, mode: number | undefined): FieldError[] {
  const detail = 'must be a number between 0 and 0777 (octal), both inclusive'
  return mode === undefined || (mode >= 0 && mode <= 0o777) ? [] : invalidField(field, mode, detail)
}

import type { PersistentVolume, PersistentVolumeClaim } from '#api/core/kinds.ts'
import { age, type Columns, since, wide } from './column-cells.ts'

export const storageColumns: Readonly<Record<string, Columns>> = {
  persistentvolumes: {
    columns: [
      { name: 'Capacity', about: 'core.v1.PersistentVolumeSpec.capacity' },
      { name: 'Access Modes', about: 'core.v1.PersistentVolumeSpec.accessModes' },
      { name: 'Reclaim Policy', about: 'core.v1.PersistentVolumeSpec.persistentVolumeReclaimPolicy' },
      { name: 'Status', about: 'core.v1.PersistentVolumeStatus.phase' },
      { name: 'Claim', about: 'core.v1.PersistentVolumeSpec.claimRef' },
      { name: 'StorageClass', about: 'StorageClass of the pv' },
      { name: 'VolumeAttributesClass', about: 'VolumeAttributesClass of the pv' },
      { name: 'Reason', about: 'core.v1.PersistentVolumeStatus.reason' },
      age,
      wide('VolumeMode', 'core.v1.PersistentVolumeSpec.volumeMode'),
    ],
    cells: ({ spec = {}, status, metadata }: PersistentVolume, nowMs) => {
      const { claimRef } = spec
      return [
        String(spec.capacity?.['storage'] ?? '0'),
        modes(spec.accessModes),
        spec.persistentVolumeReclaimPolicy ?? '',
        metadata.deletionTimestamp === undefined ? (status?.phase ?? '') : 'Terminating',
        claimRef === undefined ? '' : `${claimRef.namespace ?? ''}/${claimRef.name ?? ''}`,
        spec.storageClassName ?? '',
        spec.volumeAttributesClassName ?? '<unset>',
        status?.reason ?? '',
        since(metadata.creationTimestamp, nowMs),
        spec.volumeMode ?? '<unset>',
      ]
    },
  },
  persistentvolumeclaims: {
    columns: [
      { name: 'Status', about: 'core.v1.PersistentVolumeClaimStatus.phase' },
      { name: 'Volume', about: 'core.v1.PersistentVolumeClaimSpec.volumeName' },
      { name: 'Capacity', about: 'core.v1.PersistentVolumeClaimStatus.capacity' },
      { name: 'Access Modes', about: 'core.v1.PersistentVolumeClaimStatus.accessModes' },
      { name: 'StorageClass', about: 'StorageClass of the pvc' },
      { name: 'VolumeAttributesClass', about: 'VolumeAttributesClass of the pvc' },
      age,
      wide('VolumeMode', 'core.v1.PersistentVolumeClaimSpec.volumeMode'),
    ],
    cells: ({ spec = {}, status, metadata }: PersistentVolumeClaim, nowMs) => {
      const { volumeName = '' } = spec
      const isBound = volumeName !== ''
      return [
        metadata.deletionTimestamp === undefined ? (status?.phase ?? '') : 'Terminating',
        volumeName,
        isBound ? String(status?.capacity?.['storage'] ?? '0') : '',
        isBound ? modes(status?.accessModes) : '',
        spec.storageClassName ?? '',
        spec.volumeAttributesClassName ?? '<unset>',
        since(metadata.creationTimestamp, nowMs),
        spec.volumeMode ?? '<unset>',
      ]
    },
  },
}

const modeWords = { ReadWriteOnce: 'RWO', ReadOnlyMany: 'ROX', ReadWriteMany: 'RWX', ReadWriteOncePod: 'RWOP' }

function modes(accessModes: readonly string[] = []): string {
  return Object.entries(modeWords)
    .filter(([mode]) => accessModes.includes(mode))
    .map(([, word]) => word)
    .join(',')
}

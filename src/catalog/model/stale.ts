import { aimAnnotations } from '#api/aim-labels.ts'
import type { AIMServiceTemplate } from '#api/aim-service-template.ts'

/** Its model wants it no longer, but somebody uses it. */
export function isStaleTemplate({ metadata }: AIMServiceTemplate): boolean {
  return metadata.annotations?.[aimAnnotations.stale] === 'true'
}

import { aimAnnotations } from '#api/aim-labels.ts'
import type { Resource } from '#machinery/meta.ts'

/** Left as it is: somebody asked for that, or it is going. */
export function isLeftAlone({ metadata }: Resource): boolean {
  return metadata.deletionTimestamp !== undefined || metadata.annotations?.[aimAnnotations.paused] === 'true'
}

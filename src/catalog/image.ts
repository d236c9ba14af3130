import { canonicalReference, parseReference } from '#oci/reference.ts'

/** Whether two references name the same image: `amd/x:1` is `docker.io/amd/x:1`. */
export function sameImage(a: string, b: string): boolean {
  return a === b || canonicalImage(a) === canonicalImage(b)
}

/** What is no reference stands for itself. */
export function canonicalImage(image: string): string {
  try {
    return canonicalReference(parseReference(image))
  } catch {
    return image
  }
}

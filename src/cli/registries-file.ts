import { z } from 'zod'
import { Fault } from '#base/fault.ts'
import { parseReference } from '#oci/reference.ts'
import type { RegistrySettings } from '#oci/settings.ts'

const place = z.string().min(1).describe('`[http://|https://]registry[/path]`.')

const RegistriesFile = z.strictObject({
  rules: z
    .array(
      z.strictObject({
        prefix: z.string().min(1).describe('`registry[/path]` as images name it.'),
        location: place.optional(),
        mirrors: z.array(place).optional(),
      }),
    )
    .default([]),
  certificateAuthorities: z.string().optional().describe('PEM of authorities that are trusted besides the usual ones.'),
})

/** Decodes the content of a file for `--registries`. Throws a Fault of kind `invalid` that names the file and all that is wrong. */
export function parseRegistries(content: unknown, file: string): RegistrySettings {
  const parsed = RegistriesFile.safeParse(content ?? {})
  const wrong = parsed.success
    ? parsed.data.rules.flatMap(({ prefix }, i) =>
        isPrefix(prefix) ? [] : [`rules.${i}.prefix: "${prefix}" names no registry`],
      )
    : parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'file'}: ${message}`)
  if (!parsed.success || wrong.length > 0)
    throw new Fault('invalid', 'InvalidRegistries', `${file}: ${wrong.join('; ')}`)
  const { rules, certificateAuthorities } = parsed.data
  return {
    rules: rules.map(({ prefix, location, mirrors }) => ({
      prefix,
      ...(location !== undefined && { location }),
      ...(mirrors !== undefined && { mirrors }),
    })),
    ...(certificateAuthorities !== undefined && { certificateAuthorities }),
  }
}

/** Of an image, if a name is added to it. */
function isPrefix(prefix: string): boolean {
  try {
    parseReference(`${prefix}/x`)
    return true
  } catch {
    return false // the caller says so
  }
}

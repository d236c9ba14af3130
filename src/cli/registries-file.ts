import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import { Fault, messageOf } from '#base/fault.ts'
import { canonicalRegistry } from '#oci/reference.ts'
import type { RegistrySettings } from '#oci/settings.ts'
import { configIn } from './config-file.ts'

const host = String.raw`(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::\d{1,5})?`
const path = String.raw`(?:/[a-z0-9._-]+)*`
const place = z
  .string()
  .regex(
    new RegExp(`^(?:https?://)?${host}${path}$`),
    'write a registry with or without path, such as mirror.internal:5000/hub; http:// before it allows it to do without TLS',
  )

const RegistriesFile = z.strictObject({
  registries: z
    .array(
      z.strictObject({
        prefix: z
          .string()
          .regex(new RegExp(`^${host}${path}$`), 'write the beginning of images, such as docker.io or ghcr.io/amd')
          .describe('Beginning of the images that the entry is for.'),
        location: place.exactOptional().describe('What is asked instead of the prefix.'),
        mirrors: z.array(place).exactOptional().describe('What is asked before that, in this order.'),
      }),
    )
    .default([]),
  certificateAuthorities: z
    .string()
    .min(1)
    .optional()
    .describe('File of certificates in PEM, trusted besides the usual ones; relative to this file.'),
})

/** What a file for `--registries` says. */
export function registriesIn(file: string): Pick<RegistrySettings, 'rules' | 'certificateAuthorities'> {
  const { registries, certificateAuthorities } = configIn(file, RegistriesFile, 'InvalidRegistries')
  const rules = registries.map((rule) => ({ ...rule, prefix: canonicalPrefix(rule.prefix) }))
  if (certificateAuthorities === undefined) return { rules }
  return { rules, certificateAuthorities: certificatesIn(resolve(dirname(file), certificateAuthorities)) }
}

function canonicalPrefix(prefix: string): string {
  const [registry = '', ...rest] = prefix.split('/')
  return [canonicalRegistry(registry), ...rest].join('/')
}

function certificatesIn(file: string): string {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new Fault('invalid', 'BadFile', `certificateAuthorities: ${messageOf(error)}`, { cause: error })
  }
  if (!text.includes('-----BEGIN CERTIFICATE-----')) {
    throw new Fault('invalid', 'BadFile', `certificateAuthorities: ${file} holds no certificate in PEM`)
  }
  return text
}

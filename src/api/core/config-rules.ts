import { createPrivateKey, X509Certificate } from 'node:crypto'
import { equalJson } from '#base/json.ts'
import {
  type FieldError,
  forbiddenField,
  invalidField,
  requiredField,
  tooLongField,
  unlessKept,
} from '#machinery/field-error.ts'
import { jsonError } from '#machinery/json-error.ts'
import { configKeyErrors } from '#machinery/names.ts'
import type { ConfigMap, Secret } from './types.generated.ts'

/** What must hold of what pods are configured with. Pure. Source: Kubernetes, pkg/apis/core/validation/validation.go. */
export function checkConfigMap(map: ConfigMap, old?: ConfigMap): FieldError[] {
  const { data = {}, binaryData = {} } = map
  const texts = Object.keys(data).flatMap((key) => [
    ...invalidField(`data[${key}]`, key, ...configKeyErrors(key)),
    ...(Object.hasOwn(binaryData, key)
      ? invalidField(`data[${key}]`, key, 'duplicate of key present in binaryData')
      : []),
  ])
  const bytes = Object.keys(binaryData).flatMap((key) =>
    invalidField(`binaryData[${key}]`, key, ...configKeyErrors(key)),
  )
  const size = sum(Object.values(data).map((text) => Buffer.byteLength(text))) + encodedSize(binaryData)
  const whole = size > maxBytes ? [tooLongField('[]', maxBytes)] : []
  return [...(old === undefined ? [] : fixedErrors(map, old, ['data', 'binaryData'])), ...texts, ...bytes, ...whole]
}

export function checkSecret(secret: Secret, old?: Secret): FieldError[] {
  const { data = {} } = secret
  return [
    ...(old === undefined ? [] : [...unlessKept('type', secret.type, old.type), ...fixedErrors(secret, old, ['data'])]),
    ...Object.keys(data).flatMap((key) => invalidField(`data[${key}]`, key, ...configKeyErrors(key))),
    ...(encodedSize(data) > maxBytes ? [tooLongField('data', maxBytes)] : []),
    ...typeErrors(secret),
  ]
}

const maxBytes = 1024 * 1024

function sum(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total + size, 0)
}

/** Of texts that are base64. */
function encodedSize(data: Readonly<Record<string, string>>): number {
  return sum(Object.values(data).map((text) => Buffer.byteLength(text, 'base64')))
}

function fixedErrors<T extends { readonly immutable?: boolean }>(
  object: T,
  old: T,
  members: readonly (keyof T & string)[],
): FieldError[] {
  if (old.immutable !== true) return []
  const changed = members.filter((member) => !equalJson(object[member], old[member]))
  return [...(object.immutable === true ? [] : ['immutable']), ...changed].map((field) =>
    forbiddenField(field, 'field is immutable when `immutable` is set'),
  )
}

const accountName = 'kubernetes.io/service-account.name'

/** In a file, texts may be in `stringData`; a server has put them into `data` before it looks. */
function typeErrors({ type = '', data = {}, stringData = {}, metadata }: Secret): FieldError[] {
  const missing = (...keys: readonly string[]): FieldError[] =>
    keys
      .filter((key) => !Object.hasOwn(data, key) && !Object.hasOwn(stringData, key))
      .map((key) => requiredField(`data[${key}]`))
  switch (type) {
    case 'kubernetes.io/service-account-token':
      return metadata.annotations?.[accountName] ? [] : [requiredField(`metadata.annotations[${accountName}]`)]
    case 'kubernetes.io/dockercfg':
      return [...missing('.dockercfg'), ...objectErrors('.dockercfg', data['.dockercfg'])]
    case 'kubernetes.io/dockerconfigjson':
      return [...missing('.dockerconfigjson'), ...objectErrors('.dockerconfigjson', data['.dockerconfigjson'])]
    case 'kubernetes.io/basic-auth': {
      const both = missing('username', 'password')
      return both.length === 2 ? both : []
    }
    case 'kubernetes.io/ssh-auth':
      return data['ssh-privatekey'] ? [] : [requiredField('data[ssh-privatekey]')]
    case 'kubernetes.io/tls':
      return missing('tls.crt', 'tls.key')
    default:
      return []
  }
}

/** A certificate and a key that are not what they say; Go words it. */
export function warnOfSecret({ type, data = {} }: Secret): FieldError[] {
  if (type !== 'kubernetes.io/tls') return []
  const text = (key: string): string => Buffer.from(data[key] ?? '', 'base64').toString()
  const wrong = pairError(text('tls.crt'), text('tls.key'))
  return wrong === undefined ? [] : [{ field: '', type: 'FieldValueInvalid', detail: wrong }]
}

function pairError(certificate: string, key: string): string | undefined {
  const [first, ...others] = pemTypes(certificate)
  if (first === undefined) return 'tls: failed to find any PEM data in certificate input'
  if (![first, ...others].includes('CERTIFICATE'))
    return 'tls: failed to find certificate PEM data in certificate input'
  const [keyType] = pemTypes(key)
  if (keyType === undefined) return 'tls: failed to find any PEM data in key input'
  try {
    const isPair = new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))
    return isPair ? undefined : 'tls: private key does not match public key'
  } catch {
    return 'tls: failed to parse the certificate or its key'
  }
}

function pemTypes(text: string): string[] {
  return Array.from(text.matchAll(/^-----BEGIN ([^-]+)-----$/gm), ([, type = '']) => type)
}

/** Of bytes that must be a JSON object; what they are is nobody's business. */
function objectErrors(key: string, encoded: string | undefined): FieldError[] {
  if (encoded === undefined) return []
  const text = Buffer.from(encoded, 'base64').toString()
  try {
    JSON.parse(text)
    return []
  } catch {
    return invalidField(`data[${key}]`, '<secret contents redacted>', jsonError(text))
  }
}

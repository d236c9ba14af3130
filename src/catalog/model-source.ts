/** Where weights come from, in the present spelling. */
import { type ModelSource, modelIdPattern } from '#api/aim-fields.ts'

/** With its id, from its earlier spelling or from the URI; `undefined` where neither gives one. */
export function canonicalSource(source: ModelSource): ModelSource | undefined {
  const { name, ...rest } = source
  const modelId = source.modelId ?? (name !== undefined && modelIdPattern.test(name) ? name : idIn(source.sourceUri))
  return modelId === undefined ? undefined : { ...rest, modelId }
}

function idIn(uri: string): string | undefined {
  const [, scheme, path = ''] = /^(hf|s3):\/\/(.*)$/.exec(uri) ?? []
  const segments = path.split('/').filter((segment) => segment !== '')
  const [organisation, model] = scheme === 'hf' ? segments.slice(0, 2) : segments.slice(-2)
  if (organisation === undefined || model === undefined) return undefined
  const named = scheme === 'hf' ? model.replace(/@.*$/, '') : model
  const id = `${organisation.replaceAll(/[^a-zA-Z0-9_-]/g, '-')}/${named.replaceAll(/[^a-zA-Z0-9._-]/g, '-')}`
  return modelIdPattern.test(id) ? id : undefined
}

import type { z } from 'zod'
import { Fault } from '#base/fault.ts'
import { yamlIn } from './yaml-file.ts'

/**
 * The content of a file that an option names, in the shape that it must have. Throws a Fault of kind `invalid` and that
 * code, which names the file and all that is wrong with it, with paths.
 */
export function configIn<T>(file: string, shape: z.ZodType<T>, code: string): T {
  const parsed = shape.safeParse(yamlIn(file))
  if (parsed.success) return parsed.data
  const wrong = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'file'}: ${message}`)
  throw new Fault('invalid', code, `${file}: ${wrong.join('; ')}`)
}

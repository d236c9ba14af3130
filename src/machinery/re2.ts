const compiled = new Map<string, RegExp | null>()

/** A pattern in RE2's syntax, as OpenAPI and CEL in Kubernetes mean it; `undefined` when it is not valid. */
export function compileRe2(pattern: string): RegExp | undefined {
  let regexp = compiled.get(pattern)
  if (regexp === undefined) {
    regexp = translate(pattern)
    if (compiled.size > 2000) compiled.clear()
    compiled.set(pattern, regexp)
  }
  return regexp ?? undefined
}

function translate(pattern: string): RegExp | null {
  let source = pattern
  let flags = ''
  const inline = /^\(\?([ims]+)\)/.exec(source)
  if (inline !== null) {
    flags = inline[1] ?? ''
    source = source.slice(inline[0].length)
  }
  source = source.replaceAll('(?P<', '(?<').replaceAll('\\A', '^').replaceAll('\\z', '$')
  for (const unicode of ['u', '']) {
    try {
      return new RegExp(source, flags + unicode)
    } catch {
      // Without `u` JavaScript takes needless escapes such as `\-`, as RE2 does.
    }
  }
  return null
}

/**
 * Kubernetes' `$(NAME)`: known names become their value, `$$` one `$`, anything else stays as written.
 * Source: k8s.io/kubernetes, third_party/forked/golang/expansion.
 */
export function expandVariables(text: string, valueOf: (name: string) => string | undefined): string {
  return text.replace(/\$(?:\$|\(([^)]*)\))/g, (whole, name: string | undefined) =>
    name === undefined ? '$' : (valueOf(name) ?? whole),
  )
}

import type { Pod } from '#api/core/kinds.ts'

/** Source: Kubernetes, pkg/apis/core/v1/helper/qos. */
export function qosClass({ spec }: Pod): 'Guaranteed' | 'Burstable' | 'BestEffort' {
  const containers = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])]
  const compute = ['cpu', 'memory']
  const some = containers.some(({ resources }) =>
    compute.some((name) => resources?.requests?.[name] !== undefined || resources?.limits?.[name] !== undefined),
  )
  if (!some) return 'BestEffort'
  const all = containers.every(({ resources }) =>
    compute.every((name) => {
      const limit = resources?.limits?.[name]
      return limit !== undefined && String(resources?.requests?.[name] ?? limit) === String(limit)
    }),
  )
  return all ? 'Guaranteed' : 'Burstable'
}

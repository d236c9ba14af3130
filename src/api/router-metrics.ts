/** Metrics that routers tell of any target; a policy takes them without saying where they come from. */
export const routerMetrics = { 'fairlead:requests': 'requests', 'fairlead:requests_waiting': 'waiting' } as const

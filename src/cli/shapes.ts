/** What `convert` can make of objects; apart, so that the command line need not load the rest of it. */
export const shapes = ['list', 'single', 'bindings', 'targets', 'booster'] as const
export type Shape = (typeof shapes)[number]

import { type Tree, version } from './tree.ts'

/** One image, two programs: the command of the image, and what its pods are called. */
export const programs = ['manager', 'router'] as const
export type Program = (typeof programs)[number]

/** Name of a program's Deployment, ServiceAccount, roles and policies. */
export const nameOf = (program: Program): string => `fairlead-${program}`

export const systemNamespace = 'fairlead-system'

const appName = { 'app.kubernetes.io/name': 'fairlead' }

/** On all pods of ours, whichever program. */
export const ownPods = appName

/** Tells the pods of one program from all others; a Deployment can never change it. */
export const selectorOf = (program: Program) => ({ ...appName, 'app.kubernetes.io/component': program })

export const labelsOf = (program: Program) => ({
  ...selectorOf(program),
  'app.kubernetes.io/part-of': 'fairlead',
  'app.kubernetes.io/version': version,
})

/** Labels of what belongs to no program. */
export const commonLabels: { readonly [label: string]: Tree } = {
  ...appName,
  'app.kubernetes.io/part-of': 'fairlead',
  'app.kubernetes.io/version': version,
}

/** Labels of a namespace whose pods need no more than the strictest standard allows. */
export const restricted: Readonly<Record<string, string>> = Object.fromEntries(
  ['enforce', 'audit', 'warn'].map((mode) => [`pod-security.kubernetes.io/${mode}`, 'restricted']),
)

import { addQuantities, compareQuantities, parseQuantity, type Quantity } from '#machinery/quantity.ts'
import type { Container, PodSpec } from './types.generated.ts'

export type Amounts = Readonly<Record<string, Quantity>>

/**
 * What a scheduler sets aside for a pod: its containers and those that start before them and stay, or an init container
 * with those that stay before it, whichever is more; and the overhead of its runtime class. A limit without a request
 * counts as one. Source: Kubernetes, `component-helpers/resource`.
 */
export function podRequests({ containers, initContainers = [], overhead = {} }: PodSpec): Amounts {
  let staying: Amounts = {}
  let starting: Amounts = {}
  for (const container of initContainers) {
    const own = sumOf(staying, containerRequests(container))
    if (container.restartPolicy === 'Always') staying = own
    starting = mostOf(starting, own)
  }
  const running = containers.map(containerRequests).reduce(sumOf, staying)
  return sumOf(mostOf(running, starting), amountsOf(overhead))
}

function containerRequests({ resources: { requests = {}, limits = {} } = {} }: Container): Amounts {
  return amountsOf({ ...limits, ...requests })
}

function amountsOf(amounts: Readonly<Record<string, string | number>>): Amounts {
  return Object.fromEntries(Object.entries(amounts).map(([name, amount]) => [name, parseQuantity(amount)]))
}

export const sumOf = (a: Amounts, b: Amounts): Amounts => joined(a, b, addQuantities)

const mostOf = (a: Amounts, b: Amounts): Amounts => joined(a, b, (x, y) => (compareQuantities(x, y) >= 0 ? x : y))

function joined(a: Amounts, b: Amounts, join: (x: Quantity, y: Quantity) => Quantity): Amounts {
  const all: Record<string, Quantity> = { ...a }
  for (const [name, amount] of Object.entries(b)) all[name] = all[name] === undefined ? amount : join(all[name], amount)
  return all
}

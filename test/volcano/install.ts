/** Volcano as far as its API goes: the definition of the PodGroup as published, or as it was before 1.14. */
import { readFileSync } from 'node:fs'
import { CustomResourceDefinition } from '#api/core/kinds.ts'
import { PodGroup } from '#api/volcano.ts'
import { isObject } from '#base/json.ts'
import type { AnyResource } from '#machinery/meta.ts'
import type { Tools } from '../tools.ts'

const published = readFileSync(new URL('podgroups.generated.json', import.meta.url), 'utf8')
const name = 'podgroups.scheduling.volcano.sh'

export async function installVolcano(tools: Tools, { subGroups = true } = {}): Promise<void> {
  const definition = JSON.parse(published, (key, value: unknown) =>
    !subGroups && key === 'subGroupPolicy' ? undefined : value,
  ) as AnyResource
  await tools.apply(definition)
  await tools.until('PodGroups to be served', async () => {
    const { status } = (await tools.client.get(CustomResourceDefinition, { name })) as unknown as AnyResource
    const conditions = isObject(status) && Array.isArray(status['conditions']) ? status['conditions'] : []
    return conditions.some((each) => isObject(each) && each['type'] === 'Established' && each['status'] === 'True')
  })
  await tools.until('PodGroups to be listed', async () => {
    return (await tools.client.list(PodGroup, { namespace: 'default' }).catch(() => undefined)) !== undefined
  })
}

export async function removeVolcano(tools: Tools): Promise<void> {
  await tools.client.delete(CustomResourceDefinition, { name })
}

/** `charts/`: `fairlead` has the programs; `fairlead-crds` what a cluster has once, so that Helm can upgrade that too. */
import type { CustomResourceDefinition } from '#api/core/types.generated.ts'
import { forMatrixInfer, forTheCluster, forThePrograms } from './installation.ts'
import { notes } from './notes.ts'
import type { Parts } from './parts.ts'
import type { Definitions } from './plain-files.ts'
import { template } from './template.ts'
import { valuesSchema, valuesYaml } from './values-files.ts'
import { compactYaml, header, yaml } from './yaml.ts'

/** The first whose kubelet can pause before it stops a container. */
const oldestKubernetes = '1.30'

/** Every file by its path. */
export function chartFiles(version: string, crds: Definitions, legacy: Definitions): Map<string, string> {
  return new Map([
    ...chart({ name: 'fairlead', version, description: 'The controllers and the router of Fairlead' }, forThePrograms),
    ['charts/fairlead/values.yaml', header + valuesYaml()],
    ['charts/fairlead/values.schema.json', valuesSchema()],
    ['charts/fairlead/templates/NOTES.txt', notes],
    ...chart(
      { name: 'fairlead-crds', version, description: 'The kinds of Fairlead and who may use them' },
      forTheCluster,
    ),
    ...definitions('fairlead-crds', crds),
    ...chart(
      { name: 'fairlead-crds-matrixinfer', version, description: 'MatrixInfer’s kinds, served by Fairlead' },
      { 'user-roles': { 'user-roles': forMatrixInfer['user-roles'] } },
    ),
    ...definitions('fairlead-crds-matrixinfer', legacy),
  ])
}

function definitions(chart: string, crds: Definitions): File[] {
  return [...crds].map(([file, crd]): File => {
    return [`charts/${chart}/templates/crd/${file}`, header + compactYaml(kept(crd))]
  })
}

/** With a definition all objects of its kind would go, so `helm uninstall` leaves it. */
function kept(crd: CustomResourceDefinition): CustomResourceDefinition {
  return { ...crd, metadata: { ...crd.metadata, annotations: { 'helm.sh/resource-policy': 'keep' } } }
}

type File = [path: string, text: string]

interface ChartFacts {
  readonly name: string
  readonly version: string
  readonly description: string
}

function chart({ name, version, description }: ChartFacts, folders: Readonly<Record<string, Parts>>): File[] {
  const facts = { apiVersion: 'v2', name, description, type: 'application', version, appVersion: version }
  return [
    [`charts/${name}/Chart.yaml`, header + yaml({ ...facts, kubeVersion: `>=${oldestKubernetes}.0-0` })],
    ...Object.entries(folders).flatMap(([folder, parts]) =>
      Object.entries(parts).map(([file, documents]): File => {
        return [`charts/${name}/templates/${folder}/${file}.yaml`, header + template(documents)]
      }),
    ),
  ]
}

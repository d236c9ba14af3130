import { type Kind, type PrinterColumn, resourceName } from '#machinery/kind.ts'
import type { CustomResourceDefinition } from './core/types.generated.ts'

/** What makes a cluster serve one of our kinds. Pure; keys are in the order that people write them in. */
export function crdOf(kind: Kind): CustomResourceDefinition {
  const { group, version, plural, singular, listKind, shortNames, categories, namespaced, status, scale } = kind
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: resourceName(kind) },
    spec: {
      group,
      names: {
        kind: kind.kind,
        listKind,
        plural,
        singular,
        ...(shortNames.length > 0 && { shortNames: [...shortNames] }),
        ...(categories.length > 0 && { categories: [...categories] }),
      },
      scope: namespaced ? 'Namespaced' : 'Cluster',
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          additionalPrinterColumns: kind.columns.map(column),
          subresources: { ...(status && { status: {} }), ...(scale !== undefined && { scale }) },
          schema: { openAPIV3Schema: kind.schema() },
        },
      ],
    },
  }
}

function column({ name, type, jsonPath, description, format, priority }: PrinterColumn): PrinterColumn {
  return {
    name,
    type,
    jsonPath,
    ...(description !== undefined && { description }),
    ...(format !== undefined && { format }),
    ...(priority !== undefined && priority > 0 && { priority }),
  }
}

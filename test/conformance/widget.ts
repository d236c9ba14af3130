/** A custom kind with everything that a custom kind can have; its group is the namespace's, so that subjects do not meet. */
export const group = '<ns>.example.com'

const text = { type: 'string' }
const whole = { type: 'integer' }

const spec = {
  type: 'object',
  required: ['size'],
  properties: {
    size: { type: 'string', enum: ['s', 'm', 'l'], default: 'm' },
    replicas: { type: 'integer', format: 'int32', minimum: 0, maximum: 10, default: 1 },
    ratio: { type: 'number', exclusiveMinimum: true, minimum: 0, multipleOf: 0.5 },
    name: { type: 'string', minLength: 2, maxLength: 5, pattern: '^[a-z]+$' },
    flag: { type: 'boolean', default: false },
    maybe: { type: 'string', nullable: true },
    maybeDefault: { type: 'string', nullable: true, default: 'x' },
    port: { 'x-kubernetes-int-or-string': true },
    when: { type: 'string', format: 'date-time' },
    mail: { type: 'string', format: 'email' },
    address: { type: 'string', format: 'ipv4' },
    every: { type: 'string', format: 'duration' },
    bytes: { type: 'string', format: 'byte' },
    tags: { type: 'array', 'x-kubernetes-list-type': 'set', items: text, maxItems: 3 },
    parts: {
      type: 'array',
      maxItems: 5,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      items: {
        type: 'object',
        required: ['name'],
        properties: {
          name: { type: 'string', maxLength: 10 },
          colour: { type: 'string', default: 'red', maxLength: 10 },
          weight: whole,
        },
        'x-kubernetes-validations': [
          { rule: '!has(self.weight) || self.weight >= 0', message: 'weights are not negative', fieldPath: '.weight' },
        ],
      },
    },
    list: {
      type: 'array',
      'x-kubernetes-list-type': 'atomic',
      items: { type: 'object', properties: { a: text, b: { type: 'string', default: 'bee' } } },
      minItems: 1,
    },
    labels: { type: 'object', maxProperties: 2, additionalProperties: { type: 'string', maxLength: 5 } },
    free: {
      type: 'object',
      'x-kubernetes-preserve-unknown-fields': true,
      properties: { known: { type: 'object', properties: { a: text } } },
    },
    whole: { type: 'object', 'x-kubernetes-map-type': 'atomic', properties: { a: text, b: text } },
    embedded: { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true },
    either: { type: 'object', properties: { a: text, b: text }, oneOf: [{ required: ['a'] }, { required: ['b'] }] },
    any: { type: 'object', properties: { a: text, b: text }, anyOf: [{ required: ['a'] }, { required: ['b'] }] },
    not: { type: 'object', properties: { a: text, b: text }, not: { required: ['a', 'b'] } },
    nested: {
      type: 'object',
      default: { deep: {} },
      properties: { deep: { type: 'object', properties: { value: { type: 'integer', default: 7 } } } },
    },
    fixed: {
      type: 'string',
      maxLength: 20,
      'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'stays as it is' }],
    },
    grows: {
      type: 'integer',
      'x-kubernetes-validations': [
        { rule: 'self >= oldSelf', messageExpression: "self < 0 ? 'it is negative' : 'it may not shrink'" },
      ],
    },
    once: {
      type: 'string',
      maxLength: 20,
      'x-kubernetes-validations': [
        { rule: 'oldSelf.hasValue() || self != "late"', optionalOldSelf: true, message: 'late only later' },
      ],
    },
  },
  'x-kubernetes-validations': [
    {
      rule: '!(self.size == "s" && self.replicas > 5)',
      message: 'small ones have at most five',
      reason: 'FieldValueForbidden',
    },
    { rule: '!has(self.name) || self.name != "bad"' },
    {
      rule: '!has(self.parts) || self.parts.all(p, p.name.startsWith("p"))',
      messageExpression: '"every part begins with p, unlike " + self.parts.filter(p, !p.name.startsWith("p"))[0].name',
    },
    { rule: '!has(self.port) || type(self.port) == string || self.port > 0', message: 'a port is positive' },
    { rule: '!has(self.every) || self.every < duration("1h")', message: 'at least every hour' },
  ],
}

const status = {
  type: 'object',
  properties: {
    replicas: whole,
    selector: text,
    phase: text,
    conditions: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['type'],
      items: { type: 'object', required: ['type'], properties: { type: text, status: text } },
    },
  },
}

export function definition(plural: string, kind: string, members: object = {}) {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural, singular: kind.toLowerCase(), kind, shortNames: [plural.slice(0, 2)], categories: ['all'] },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          subresources: {
            status: {},
            scale: {
              specReplicasPath: '.spec.replicas',
              statusReplicasPath: '.status.replicas',
              labelSelectorPath: '.status.selector',
            },
          },
          selectableFields: [{ jsonPath: '.spec.size' }],
          additionalPrinterColumns: [
            { name: 'Size', type: 'string', jsonPath: '.spec.size', description: 'How large it is.' },
            { name: 'Replicas', type: 'integer', jsonPath: '.spec.replicas', priority: 1 },
            { name: 'Ratio', type: 'number', jsonPath: '.spec.ratio' },
            { name: 'Flag', type: 'boolean', jsonPath: '.spec.flag' },
            { name: 'When', type: 'date', jsonPath: '.spec.when' },
            { name: 'Parts', type: 'string', jsonPath: '.spec.parts[*].name' },
            { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
          ],
          schema: { openAPIV3Schema: { type: 'object', required: ['spec'], properties: { spec, status } } },
        },
        {
          name: 'v1beta1',
          served: true,
          storage: false,
          deprecated: true,
          schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        },
        { name: 'v1alpha1', served: false, storage: false, schema: { openAPIV3Schema: { type: 'object' } } },
      ],
      ...members,
    },
  }
}

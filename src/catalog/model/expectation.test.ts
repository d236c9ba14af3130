import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AimStatus } from '#api/aim-fields.ts'
import { type Expectation, expects, templatesComponent, type Wishes } from './expectation.ts'

const children: [states: AimStatus[], want: AimStatus, reason: string][] = [
  [['Ready', 'Ready'], 'Ready', 'AllTemplatesReady'],
  [['Ready', 'NotAvailable'], 'Ready', 'SomeTemplatesReady'],
  [['Ready', 'Progressing'], 'Progressing', 'TemplatesProgressing'],
  [['Ready', 'Failed'], 'Degraded', 'SomeTemplatesDegraded'],
  [['Ready', 'Degraded'], 'Degraded', 'SomeTemplatesDegraded'],
  [['NotAvailable', 'NotAvailable'], 'NotAvailable', 'NoTemplatesAvailable'],
  [['NotAvailable', 'Failed'], 'Degraded', 'SomeTemplatesDegraded'],
  [['NotAvailable', 'Progressing'], 'Progressing', 'TemplatesProgressing'],
  [['Degraded', 'Failed'], 'Failed', 'AllTemplatesFailed'],
  [['Failed', 'Failed'], 'Failed', 'AllTemplatesFailed'],
  [['Degraded', 'Degraded'], 'Degraded', 'SomeTemplatesDegraded'],
  [['Ready', 'NotAvailable', 'Pending'], 'Progressing', 'TemplatesProgressing'],
  [['Failed', 'Progressing'], 'Degraded', 'SomeTemplatesDegraded'],
  [['Pending', 'Pending'], 'Progressing', 'TemplatesProgressing'],
]
for (const [states, want, reason] of children) {
  test(`templates that are ${states.join(', ')} make a model ${want}`, () => {
    const component = templatesComponent('ServiceTemplatesReady', states, true)
    assert.deepEqual([component.state, component.reason], [want, reason])
  })
}

const none: [expected: Expectation, want: AimStatus, reason: string][] = [
  [undefined, 'Progressing', 'AwaitingMetadata'],
  [true, 'Progressing', 'CreatingTemplates'],
  [false, 'Ready', 'NoTemplatesExpected'],
]
for (const [expected, want, reason] of none) {
  test(`without templates a model of which ${expected} are expected is ${want}`, () => {
    const component = templatesComponent('ServiceTemplatesReady', [], expected)
    assert.deepEqual([component.state, component.reason], [want, reason])
  })
}

const wishes: Record<string, { wishes: Partial<Wishes>; want: Expectation }> = {
  'not known before the image is': { wishes: {}, want: undefined },
  'as many as the image recommends': { wishes: { deployments: 1 }, want: true },
  'none where the image recommends none': { wishes: { deployments: 0 }, want: false },
  'none where the model says so': { wishes: { explicitCreate: false, deployments: 1, custom: true }, want: false },
  'none where the runtime config says so': { wishes: { auto: false, deployments: 1 }, want: false },
  'some where the model says so against the runtime config': {
    wishes: { auto: false, explicitCreate: true, deployments: 1 },
    want: true,
  },
  'one at least of a custom model, whatever the runtime config says': {
    wishes: { auto: false, custom: true },
    want: true,
  },
  '#15 none where nothing is extracted or given': { wishes: { extract: false }, want: false },
}
for (const [name, { wishes: own, want }] of Object.entries(wishes)) {
  test(`templates are expected: ${name}`, () => {
    const unset = { explicitCreate: undefined, auto: true, extract: true, custom: false, hasCustomTemplates: false }
    assert.equal(expects({ ...unset, deployments: undefined, ...own }), want)
  })
}

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AIMClusterModelSource } from '#api/aim-cluster-model-source.ts'
import { AIMModel } from '#api/aim-model.ts'
import { AIMService } from '#api/aim-service.ts'
import { AIMServiceTemplate } from '#api/aim-service-template.ts'
import { apiVersionOf, type Kind } from '#machinery/kind.ts'
import type { AnyResource, Condition } from '#machinery/meta.ts'
import { renderCatalogWhy } from './why-catalog.ts'

function object(kind: Kind, name: string, parts: Partial<AnyResource> = {}): AnyResource {
  return { apiVersion: apiVersionOf(kind), kind: kind.kind, spec: {}, ...parts, metadata: { name, ...parts.metadata } }
}

const condition = (type: string, status: Condition['status'], reason: string): Condition => ({
  type,
  status,
  reason,
  message: `${type} says so`,
  lastTransitionTime: '',
})
const generated = { 'aim.eai.amd.com/origin': 'auto-generated' }
const template = (name: string, parts: Partial<AnyResource>) =>
  object(AIMServiceTemplate, name, parts) as unknown as AIMServiceTemplate
const hardware = { gpu: { requests: 4, model: 'MI300X' } }

const rows: Record<string, { object: AnyResource; templates?: AIMServiceTemplate[]; want: string }> = {
  'a model that nobody has looked at': { object: object(AIMModel, 'm'), want: 'AIMModel/m is not looked at yet' },
  'a model, why each template is there, and what one waits for': {
    object: object(AIMModel, 'm', {
      status: {
        status: 'Degraded',
        conditions: [
          condition('Ready', 'False', 'SomeTemplatesDegraded'),
          condition('MetadataExtracted', 'True', 'MetadataExtracted'),
          condition('ServiceTemplatesReady', 'False', 'SomeTemplatesDegraded'),
        ],
      },
    }),
    templates: [
      template('recommended', {
        metadata: { labels: generated },
        spec: { modelName: 'm', hardware, precision: 'fp16' },
        status: { status: 'Ready', hardwareSummary: '4 x MI300X' },
      }),
      template('mine', {
        spec: { modelName: 'm' },
        status: { status: 'Failed', conditions: [condition('AuthValid', 'False', 'AuthError')] },
      }),
    ],
    want: `AIMModel/m is Degraded
  ServiceTemplatesReady  SomeTemplatesDegraded: ServiceTemplatesReady says so

  recommended
    is there because the image recommends 4 x MI300X, fp16
    Ready on 4 x MI300X
  mine
    is there because somebody made it by hand
    Failed
    AuthValid  AuthError: AuthValid says so`,
  },
  'a template that failed, and when it is tried again': {
    object: object(AIMServiceTemplate, 't', {
      metadata: { labels: { ...generated, 'aim.eai.amd.com/template.alias': 'fast' } },
      status: { status: 'Failed', discovery: { attempts: 2, nextAttemptTime: '2030-01-01T00:02:00Z' } },
    }),
    want: `AIMServiceTemplate/t is Failed

  it is there because .. spec.customTemplates names it fast
  failed attempts ...... 2
  next attempt ......... 2030-01-01T00:02:00Z`,
  },
  'a service, and the templates it could have had': {
    object: object(AIMService, 's', {
      status: {
        status: 'Running',
        templateCandidates: [
          { name: 'a', scope: 'Namespace', rank: 1, status: 'chosen', reason: 'BestMatch', message: 'as asked' },
          { name: 'b', scope: 'Cluster', status: 'rejected', reason: 'NotReady' },
        ],
      },
    }),
    want: `AIMService/s is Running

  → 1 a (Namespace) BestMatch: as asked
    - b (Cluster) NotReady`,
  },
  'a source whose limit is not reached has no trouble': {
    object: object(AIMClusterModelSource, 'amd', {
      status: { status: 'Ready', conditions: [condition('MaxModelsLimitReached', 'False', 'WithinLimit')] },
    }),
    want: 'AIMClusterModelSource/amd is Ready',
  },
}
for (const [name, { object: asked, templates = [], want }] of Object.entries(rows)) {
  test(`why of ${name}`, () => assert.equal(renderCatalogWhy(asked, templates).join('\n'), want))
}

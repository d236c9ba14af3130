import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AIMModel } from '#api/aim-model.ts'
import { Fault } from '#base/fault.ts'
import { answered, knownOf } from './inspection.ts'

const model: AIMModel = {
  apiVersion: 'aim.eai.amd.com/v1alpha1',
  kind: 'AIMModel',
  metadata: { name: 'llama', namespace: 'a', uid: '7' },
  spec: { image: 'ghcr.io/amd/llama:1' },
}
const atMs = Date.UTC(2030, 0, 1)
const circumstances = { extract: true, request: 'r', hindrance: undefined, nowMs: atMs }

const waits: Record<string, { readonly askedMs: number; readonly wantMs: number }> = {
  'a registry that asks for a while is left alone that long': { askedMs: 90_000, wantMs: 90_000 },
  'one that says "at once" is left alone as after any failure': { askedMs: 0, wantMs: 5_000 },
}
for (const [sentence, { askedMs, wantMs }] of Object.entries(waits)) {
  test(sentence, () => {
    const fault = new Fault('exhausted', 'RegistryRateLimited', 'asked too often', { retryAfterMs: askedMs })
    const { inspection, nextAttemptMs } = answered(model, { atMs, result: { ok: false, fault } }, circumstances)
    assert.equal(nextAttemptMs, atMs + wantMs)
    // The next pass goes by what it wrote, and asks nobody.
    const next = { ...model, ...(inspection && { status: { inspection } }) }
    assert.equal(knownOf(next, { ...circumstances, nowMs: atMs + 1 })?.nextAttemptMs, atMs + wantMs)
  })
}

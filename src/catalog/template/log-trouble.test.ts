import assert from 'node:assert/strict'
import { test } from 'node:test'
import { logTroubleOf } from './log-trouble.ts'

const gated = `Traceback (most recent call last):
huggingface_hub.errors.GatedRepoError: 403 Client Error.
Cannot access gated repo for url https://huggingface.co/meta-llama/Llama-3-8B/resolve/main/config.json.`

const rows: Record<string, { log: string; want: string | undefined; names?: string }> = {
  'scenario 22 a gated repository': { log: gated, want: 'AuthError', names: 'repository meta-llama/Llama-3-8B may' },
  'scenario 22 a gated repository as another tool tells it': {
    log: 'OSError: You are trying to access a gated repo.\nAsk for it at https://huggingface.co/org/name.',
    want: 'AuthError',
    names: 'repository org/name may',
  },
  'an access that is restricted': {
    log: 'Access to model org/name is restricted. You must have access to it and be authenticated.',
    want: 'AuthError',
    names: 'repository org/name may',
  },
  'a token that is refused': {
    log: '401 Client Error: Unauthorized for url: https://huggingface.co/api/models/org/name',
    want: 'AuthError',
    names: 'repository org/name may',
  },
  'keys of a bucket that are refused': { log: 'An error occurred (AccessDenied)', want: 'AuthError', names: 'what it' },
  'a repository that is not there, though the hint speaks of gated ones': {
    log: 'RepositoryNotFoundError: 401 Client Error.\nIf you are trying to access a private or gated repo, log in.',
    want: 'SourceNotFound',
  },
  'a full disk': { log: 'OSError: [Errno 28] No space left on device', want: 'StorageFull' },
  'a digest with those digits': { log: 'sha256:4014034041 ended', want: undefined },
  'what passed long before the end': { log: `${gated}\n${'going on\n'.repeat(60)}`, want: undefined },
  'nothing at all': { log: '', want: undefined },
}
for (const [name, { log, want, names }] of Object.entries(rows)) {
  test(`the log of a dry run: ${name}`, () => {
    const trouble = logTroubleOf('p', log)
    assert.equal(trouble?.reason, want)
    if (names !== undefined) assert.ok(trouble?.message.includes(names), trouble?.message)
  })
}

test('no line of a log is told on', () => {
  const trouble = logTroubleOf('p', `${gated}\nAuthorization: Bearer hf_secret`)
  assert.doesNotMatch(trouble?.message ?? '', /hf_secret|Traceback/)
})

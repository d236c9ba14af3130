import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import { test } from 'node:test'
import { Fault } from '#base/fault.ts'
import { silentLog } from '#base/log.ts'
import { createClient } from './create-client.ts'
import { manualClock } from '#base/manual-clock.testkit.ts'
import { type Answer, event, failure, list, scripted, status, stream, Thing, thing } from './script.testkit.ts'
import { watcher } from './watcher.ts'

interface Case {
  readonly answers: readonly Answer[]
  /** Lists are streamed until the server refuses. */
  readonly streams?: true
  /** Events as words: `restart`, `listed a`, … */
  readonly want: readonly string[]
  /** Each request: the version that a watch starts from, `stream` for one that begins with a list, or `list`. */
  readonly wantFrom: readonly string[]
}

const listed = ['restart', 'listed a', 'synced']
const oneThing = () => list(10, [thing('a', 9)])

const cases: Record<string, Case> = {
  'goes on from the version of the list, then of the last event': {
    answers: [
      oneThing(),
      stream([event('ADDED', thing('b', 11)), event('MODIFIED', thing('a', 12))], 'end'),
      stream([event('DELETED', thing('b', 13))]),
    ],
    want: [...listed, 'applied b', 'applied a', 'deleted b'],
    wantFrom: ['list', '10', '12'],
  },
  'a list of several pages is one list': {
    answers: [list(10, [thing('a', 9)], 'more'), list(10, [thing('b', 8)])],
    want: ['restart', 'listed a', 'listed b', 'synced'],
    wantFrom: ['list', 'list', '10'],
  },
  'a list that expires between its pages is asked for in one piece': {
    answers: [list(10, [thing('a', 9)], 'more'), failure(410, 'Expired'), list(12, [thing('b', 11)])],
    want: ['restart', 'listed b', 'synced'],
    wantFrom: ['list', 'list', 'list', '12'],
  },
  'a bookmark moves the version on and is no change': {
    answers: [oneThing(), stream([event('BOOKMARK', { metadata: { resourceVersion: '99' } })], 'end')],
    want: listed,
    wantFrom: ['list', '10', '99'],
  },
  '410 as the answer lists again': {
    answers: [oneThing(), failure(410, 'Expired'), list(20, [thing('b', 19)])],
    want: [...listed, 'restart', 'listed b', 'synced'],
    wantFrom: ['list', '10', 'list', '20'],
  },
  '410 as an event lists again': {
    answers: [oneThing(), stream([event('ERROR', status(410, 'Expired'))]), list(20, [thing('b', 19)])],
    want: [...listed, 'restart', 'listed b', 'synced'],
    wantFrom: ['list', '10', 'list', '20'],
  },
  'any other error in the stream resumes from the last version': {
    answers: [oneThing(), stream([event('ADDED', thing('b', 11)), event('ERROR', status(500, 'InternalError'))])],
    want: [...listed, 'applied b'],
    wantFrom: ['list', '10', '11'],
  },
  'a reset connection resumes from the last version': {
    answers: [oneThing(), stream([event('ADDED', thing('b', 11))], 'reset')],
    want: [...listed, 'applied b'],
    wantFrom: ['list', '10', '11'],
  },
  'an event that is cut off is not taken for one, and asked for again': {
    answers: [
      oneThing(),
      stream([event('ADDED', thing('b', 11)), event('ADDED', thing('c', 12)).slice(0, -20)], 'end'),
      stream([event('ADDED', thing('c', 12))]),
    ],
    want: [...listed, 'applied b', 'applied c'],
    wantFrom: ['list', '10', '11', '12'].slice(0, 3),
  },
  'a line that is not JSON ends the watch, not the watcher': {
    answers: [oneThing(), stream(['<html>\n']), stream([event('ADDED', thing('b', 11))])],
    want: [...listed, 'applied b'],
    wantFrom: ['list', '10', '10'],
  },
  'an event that comes in pieces, in the middle of a character, is one event': {
    answers: [oneThing(), splitIn('é', event('ADDED', { ...thing('b', 11), note: 'é' }))],
    want: [...listed, 'applied b'],
    wantFrom: ['list', '10'],
  },
  '401, 403, 429 and 503 are waited out': {
    answers: [
      failure(401, 'Unauthorized'),
      failure(403, 'Forbidden'),
      oneThing(),
      failure(429, 'TooManyRequests'),
      failure(503, 'ServiceUnavailable'),
      stream([event('ADDED', thing('b', 11))]),
    ],
    want: ['restart', 'restart', ...listed, 'applied b'],
    wantFrom: ['list', 'list', 'list', '10', '10', '10'],
  },
  'no answer at all is waited out': {
    answers: [() => Promise.reject(new Fault('unavailable', 'ConnectionRefused', 'nothing listens there')), oneThing()],
    want: ['restart', ...listed],
    wantFrom: ['list', 'list', '10'],
  },
  'a bug below is waited out too': {
    answers: [() => Promise.reject(new TypeError('oops')), oneThing()],
    want: ['restart', ...listed],
    wantFrom: ['list', 'list', '10'],
  },
}

const listEnd = (version: number) =>
  event('BOOKMARK', {
    metadata: { resourceVersion: String(version), annotations: { 'k8s.io/initial-events-end': 'true' } },
  })

const streamedCases: Record<string, Omit<Case, 'streams'>> = {
  'a list is streamed, and the watch goes on from it in the same answer': {
    answers: [
      stream(
        [event('ADDED', thing('a', 9)), event('ADDED', thing('b', 8)), listEnd(10), event('ADDED', thing('c', 11))],
        'end',
      ),
    ],
    want: ['restart', 'listed a', 'listed b', 'synced', 'applied c'],
    wantFrom: ['stream', '11'],
  },
  'what changes before a streamed list is whole is part of it': {
    answers: [
      stream([
        event('ADDED', thing('a', 9)),
        event('ADDED', thing('b', 8)),
        event('MODIFIED', thing('a', 10)),
        event('DELETED', thing('b', 11)),
        event('BOOKMARK', { metadata: { resourceVersion: '12' } }),
        listEnd(13),
      ]),
    ],
    want: ['restart', 'listed a', 'synced'],
    wantFrom: ['stream'],
  },
  'a streamed list that breaks off is started again': {
    answers: [stream([event('ADDED', thing('a', 9))], 'reset'), stream([event('ADDED', thing('a', 9)), listEnd(10)])],
    want: ['restart', ...listed],
    wantFrom: ['stream', 'stream'],
  },
  'a server that does not stream lists is asked for pages at once, and ever after': {
    answers: [failure(422, 'Invalid'), oneThing(), failure(410, 'Expired'), oneThing()],
    want: ['restart', ...listed, ...listed],
    wantFrom: ['stream', 'list', '10', 'list', '10'],
  },
  'a server that lets a streamed list end without its mark is asked for pages': {
    answers: [
      stream([event('ADDED', thing('a', 9))], 'end'),
      oneThing(),
      failure(410, 'Expired'),
      stream([listEnd(20)]),
    ],
    want: ['restart', ...listed, 'restart', 'synced'],
    wantFrom: ['stream', 'list', '10', 'stream'],
  },
  'a server that does not know what a streamed list is, and goes silent, is asked for pages': {
    answers: [stream([event('ADDED', thing('a', 9))]), oneThing()],
    want: ['restart', ...listed],
    wantFrom: ['stream', 'list', '10'],
  },
  '410 streams the list again': {
    answers: [stream([listEnd(10)], 'end'), failure(410, 'Expired'), stream([listEnd(20)])],
    want: ['restart', 'synced', 'restart', 'synced'],
    wantFrom: ['stream', '10', 'stream'],
  },
  'a kind that the server does not have is looked for until it has': {
    answers: [failure(404, 'NotFound'), failure(404, 'NotFound'), failure(404, 'NotFound'), stream([listEnd(10)])],
    want: ['restart', 'restart', 'absent', 'restart', 'restart', 'synced'],
    wantFrom: ['stream', 'stream', 'stream', 'stream'],
  },
}

const absentCases: Record<string, Case> = {
  'a kind that goes is absent once that was told twice': {
    answers: [oneThing(), failure(404, 'NotFound'), failure(404, 'NotFound'), oneThing()],
    want: [...listed, 'restart', 'absent', ...listed],
    wantFrom: ['list', '10', 'list', 'list', '10'],
  },
  'a server that has not found its kinds yet says so once, and nothing is lost': {
    answers: [oneThing(), failure(404, 'NotFound'), oneThing()],
    want: [...listed, ...listed],
    wantFrom: ['list', '10', 'list', '10'],
  },
}

/** Cuts between the two bytes of the character. */
function splitIn(character: string, line: string): Answer {
  const bytes = Buffer.from(line)
  const at = bytes.indexOf(character) + 1
  return () =>
    new Response(
      new ReadableStream({
        start(controller) {
          controller.enqueue(new Uint8Array(bytes.subarray(0, at)))
          controller.enqueue(new Uint8Array(bytes.subarray(at)))
        },
      }),
    )
}

const streamed = Object.entries(streamedCases).map(([name, row]) => [name, { ...row, streams: true }] as const)
for (const [name, { answers, want, wantFrom, streams }] of [
  ...Object.entries({ ...cases, ...absentCases }),
  ...streamed,
]) {
  test(name, async () => {
    const { events, requests } = await follow(answers, wantFrom.length, { watchLists: streams === true })
    assert.deepEqual(events, want)
    assert.deepEqual(requests.map(from), wantFrom)
  })
}

test('asks for bookmarks and for a watch of five to ten minutes', async () => {
  for (const [random, wantSeconds] of [
    [0, '300'],
    [0.999, '600'],
  ] as const) {
    const { requests } = await follow([oneThing()], 2, { random })
    assert.equal(requests[1]?.searchParams.get('allowWatchBookmarks'), 'true')
    assert.equal(requests[1]?.searchParams.get('timeoutSeconds'), wantSeconds)
  }
})

test('waits longer with every failure, and starts over after an event', async () => {
  const clock = manualClock()
  const down = () => failure(500, 'InternalError')
  const startedMs = clock.now()
  const atMs: number[] = []
  const answers: Answer[] = [down, down, down, down, oneThing, stream([event('ADDED', thing('b', 11))], 'reset'), down]
  await follow(
    answers.map((answer) => (request: Request) => {
      atMs.push(clock.now() - startedMs)
      return typeof answer === 'function' ? answer(request) : answer
    }),
    answers.length,
    { random: 0.999, clock },
  )
  const pauses = atMs.slice(1).map((ms, index) => ms - (atMs[index] ?? 0))
  assert.deepEqual(
    pauses.map((ms) => Math.round(ms / 100) * 100),
    [500, 1_000, 2_000, 4_000, 0, 500],
  )
})

test('a watch that nobody ends, not even the server, is given up after its time', async () => {
  const { requests } = await follow([oneThing(), stream([]), stream([])], 3)
  assert.deepEqual(requests.map(from), ['list', '10', '10'])
})

test('a stop during the first list opens no watch', async () => {
  const { fetch, requests } = scripted([])
  const stop = new AbortController()
  const ended = collect(fetch, stop.signal, [])
  await turn()
  stop.abort()
  await ended
  assert.equal(requests.length, 1)
})

test('a stop during a watch or a pause ends at once and leaves no timer', async () => {
  for (const last of [stream([]), failure(500, 'InternalError')]) {
    const clock = manualClock()
    const { fetch } = scripted([oneThing(), last])
    const stop = new AbortController()
    const ended = collect(fetch, stop.signal, [], { clock })
    for (let turns = 0; turns < 20; turns++) await turn()
    stop.abort()
    await ended
    assert.equal(clock.pending, 0)
  }
})

test('a kind that is not there is looked for every five to ten seconds, and costs no more', async () => {
  const clock = manualClock()
  const startedMs = clock.now()
  const atMs: number[] = []
  const absent = (): Response => {
    atMs.push(clock.now() - startedMs)
    return failure(404, 'NotFound')
  }
  await follow(
    Array.from({ length: 6 }, () => absent),
    6,
    { random: 0.999, clock },
  )
  assert.deepEqual(
    atMs.map((ms) => Math.round(ms / 500) / 2),
    [0, 0.5, 10.5, 20.5, 30.5, 40.5],
  )
})

function from({ searchParams }: URL): string {
  if (!searchParams.has('watch')) return 'list'
  return searchParams.has('sendInitialEvents') ? 'stream' : (searchParams.get('resourceVersion') ?? '')
}

interface Following {
  readonly random?: number
  readonly clock?: ReturnType<typeof manualClock>
  readonly watchLists?: boolean
}

/** Runs a watcher until it has sent so many requests, moving time on whenever it waits. */
async function follow(answers: readonly Answer[], wantRequests: number, following: Following = {}) {
  const { fetch, requests } = scripted(answers)
  const { clock = manualClock() } = following
  const stop = new AbortController()
  const events: string[] = []
  const ended = collect(fetch, stop.signal, events, { ...following, clock })
  for (let rounds = 0; requests.length < wantRequests && rounds < 5_000; rounds++) {
    for (let turns = 0; turns < 5; turns++) await turn()
    if (requests.length < wantRequests) clock.advance(250)
  }
  for (let turns = 0; turns < 10; turns++) await turn()
  stop.abort()
  await ended
  return { events, requests }
}

async function collect(
  fetch: ReturnType<typeof scripted>['fetch'],
  signal: AbortSignal,
  events: string[],
  { random = 0, clock = manualClock(), watchLists = false }: Following = {},
): Promise<void> {
  const options = {
    client: createClient({ fetch, clock }),
    kind: Thing,
    clock,
    log: silentLog,
    random: () => random,
    server: { watchLists },
  }
  for await (const told of watcher(options, signal)) {
    events.push('object' in told ? `${told.type} ${told.object.metadata.name}` : told.type)
  }
}

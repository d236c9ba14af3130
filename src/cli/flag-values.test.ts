import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  atLeastZero,
  bindAddress,
  commaSeparated,
  count,
  countFromOne,
  durationMs,
  kept,
  namespaces,
  onOrOff,
  port,
} from './flag-values.ts'

/** `undefined` for what is refused. */
const valueOf = (parse: () => unknown): unknown => {
  try {
    return parse()
  } catch (error) {
    assert.equal((error as { code?: string }).code, 'commander.invalidArgument')
    return 'refused'
  }
}

const addresses: Record<string, unknown> = {
  '127.0.0.1:8080': { host: '127.0.0.1', port: 8080 },
  'localhost:0': { host: 'localhost', port: 0 },
  ':8081': { host: undefined, port: 8081 },
  '[::1]:8080': { host: '::1', port: 8080 },
  '0': undefined,
  '8080': 'refused',
  '127.0.0.1': 'refused',
  '::1:8080': 'refused',
  'host:65536': 'refused',
  'host:': 'refused',
  '': 'refused',
}
for (const [text, want] of Object.entries(addresses))
  test(`the address ${JSON.stringify(text)}`, () =>
    assert.deepEqual(
      valueOf(() => bindAddress(text)),
      want,
    ))

const values: Record<string, { parse: () => unknown; want: unknown }> = {
  'a duration is Go’s': { parse: () => durationMs('1m30s'), want: 90_000 },
  'a duration has a unit': { parse: () => durationMs('15'), want: 'refused' },
  'a duration does not run backwards': { parse: () => durationMs('-1s'), want: 'refused' },
  'what is checked stays as it was written': { parse: () => kept(durationMs)('1500ms'), want: '1500ms' },
  'what is checked may be refused': { parse: () => kept(durationMs)('soon'), want: 'refused' },
  'a flag that comes again adds its names, each once': {
    parse: () => commaSeparated('b, c', commaSeparated('a,b')),
    want: ['a', 'b', 'c'],
  },
  'a name is not nothing': { parse: () => commaSeparated('a,'), want: 'refused' },
  'a namespace is named as Kubernetes names them': {
    parse: () => namespaces('team-a,team-b'),
    want: ['team-a', 'team-b'],
  },
  'a namespace has no dots': { parse: () => namespaces('team.a'), want: 'refused' },
  'yes as Go writes it': { parse: () => ['true', '1', 'T'].map(onOrOff), want: [true, true, true] },
  'no as Go writes it': { parse: () => ['false', '0', 'F'].map(onOrOff), want: [false, false, false] },
  'neither yes nor no': { parse: () => onOrOff('maybe'), want: 'refused' },
  'a pace may have a fraction': { parse: () => atLeastZero('0.5'), want: 0.5 },
  'a pace is a number': { parse: () => atLeastZero('fast'), want: 'refused' },
  'a count is whole': { parse: () => count('1.5'), want: 'refused' },
  'a count is not nothing': { parse: () => count(''), want: 'refused' },
  'a count may be zero': { parse: () => count('0'), want: 0 },
  'what never comes to one cannot be waited for': { parse: () => countFromOne('0'), want: 'refused' },
  'a count from one up': { parse: () => countFromOne('60'), want: 60 },
  'a port is not nothing': { parse: () => port(''), want: 'refused' },
  'a port has its bounds': { parse: () => ['0', '65535'].map(port), want: [0, 65_535] },
  'and none beyond': { parse: () => port('65536'), want: 'refused' },
  'a pace is not nothing': { parse: () => atLeastZero(' '), want: 'refused' },
}
for (const [name, { parse, want }] of Object.entries(values)) test(name, () => assert.deepEqual(valueOf(parse), want))

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Family, readExposition } from './exposition.ts'

const rows: Record<string, { text: string; want: Partial<Family> | undefined }> = {
  'a gauge': { text: '# HELP m Waiting.\n# TYPE m gauge\nm 3\n', want: { type: 'gauge', values: [3] } },
  'a counter with labels and a time': {
    text: '# TYPE m counter\nm{engine="0",model_name="a"} 4 1700000000000\n',
    want: { type: 'counter', values: [4] },
  },
  'a value for each label set': {
    text: '# TYPE m gauge\nm{engine="0"} 1\nm{engine="1"} 2.5e1\n',
    want: { type: 'gauge', values: [1, 25] },
  },
  'braces and quotes within a label': {
    text: String.raw`# TYPE m gauge
m{a="}",b="say \"hi\", {x} 7",c=""} 5`,
    want: { type: 'gauge', values: [5] },
  },
  'without a type': { text: 'm 1', want: { type: 'untyped', values: [1] } },
  'line ends of Windows': { text: '# TYPE m gauge\r\nm 3\r\n', want: { type: 'gauge', values: [3] } },
  'no number and infinity are numbers here': { text: 'm NaN\nm +Inf\n', want: { values: [Number.NaN, Infinity] } },
  'an exemplar': { text: 'm 3 # {trace="x"} 1\n', want: { values: [3] } },
  'the buckets of all label sets together': {
    text: [
      '# TYPE m histogram',
      'm_bucket{engine="0",le="1"} 2',
      'm_bucket{engine="0",le="+Inf"} 3',
      'm_sum{engine="0"} 9.5',
      'm_count{engine="0"} 3',
      'm_bucket{engine="1",le="1.0"} 4',
      'm_bucket{le="+Inf",engine="1"} 4',
    ].join('\n'),
    want: { type: 'histogram', values: [], buckets: { bounds: [1, Infinity], counts: [6, 7] } },
  },
  'buckets that nobody calls a histogram': {
    text: 'm_bucket{le="1"} 2\nm_bucket{le="+Inf"} 3\n',
    want: { type: 'histogram', values: [], buckets: { bounds: [1, Infinity], counts: [2, 3] } },
  },
  'a metric that is not there': { text: '# TYPE other gauge\nother 3\n', want: undefined },
  'a type without a sample': { text: '# TYPE m gauge\n', want: undefined },
  'a longer name is another one': { text: 'm_total 3\nmm 4\nm_bucket_size 5\n', want: undefined },
  'nothing at all': { text: '', want: undefined },
}
for (const [name, { text, want }] of Object.entries(rows)) {
  test(`reads ${name}`, () => {
    const family = readExposition(text, new Set(['m'])).get('m')
    if (want === undefined) assert.equal(family, undefined)
    else assert.deepEqual({ ...family }, { ...family, ...want })
  })
}

const broken: Record<string, { text: string; says: RegExp }> = {
  'a sample without a value': { text: 'm{a="b"}\n', says: /not a sample: m\{a="b"\}/ },
  'a value that is none': { text: 'm three\n', says: /not a sample/ },
  'a line of white space, as long as an answer may be': {
    text: `m${' '.repeat(4 << 20)}x y z\n`,
    says: /not a sample/,
  },
  'labels that do not end': { text: 'm{a="b 3\n', says: /not a sample/ },
  'a bucket without a bound': { text: '# TYPE m histogram\nm_bucket{a="b"} 3\n', says: /bucket without a bound/ },
  'a web page': { text: '<html><body>Bad gateway</body></html>', says: /not a line of metrics: <html>/ },
  JSON: { text: '{"m": 3}', says: /not a line of metrics/ },
}
for (const [name, { text, says }] of Object.entries(broken)) {
  test(`refuses ${name}`, () => {
    assert.throws(
      () => readExposition(text, new Set(['m'])),
      (error: Error) => says.test(error.message) && 'kind' in error,
    )
  })
}

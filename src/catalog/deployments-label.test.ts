import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readDeployments } from './deployments-label.ts'

const mi300x = { gpuModel: 'MI300X', gpuCount: 4 }

const rows: Record<string, { text: string; want?: object[]; wantIgnored?: string[]; wantMalformed?: RegExp }> = {
  'an array': {
    text: '[{"gpuModel": "MI300X", "gpuCount": 4, "precision": "fp16", "metric": "throughput"}]',
    want: [{ ...mi300x, precision: 'fp16', metric: 'throughput' }],
  },
  'a single object': { text: ' {"gpuModel":"MI300X","gpuCount":4}\n', want: [mi300x] },
  'objects in a row, in Python’s spelling and in JSON’s': {
    text: `{'gpuModel': 'MI300X', 'gpuCount': '2'}, {"gpuModel":"MI300X","gpuCount":4}`,
    want: [{ gpuModel: 'MI300X', gpuCount: 2 }, mi300x],
  },
  '#24 an apostrophe in JSON is a letter like any other': {
    text: `[{"description": "the model's best"}]`,
    want: [{ description: "the model's best" }],
  },
  'quotes within Python’s quotes': {
    text: String.raw`[{'description': 'it\'s "best"\n', 'profileId': None, 'x': True}]`,
    want: [{ description: 'it\'s "best"\n' }],
  },
  'keys in any case, with dashes and underscores': {
    text: '[{"GPU_Model": "MI300X", "gpu-count": 4, "ProfileID": "p"}]',
    want: [{ ...mi300x, profileId: 'p' }],
  },
  'what we don’t know is left out': {
    text: '[{"gpuModel": "MI300X", "colour": "red"}]',
    want: [{ gpuModel: 'MI300X' }],
  },
  'words that no template knows are kept': { text: '[{"precision": "fp7"}]', want: [{ precision: 'fp7' }] },
  'one that is wrong does not take the others with it': {
    text: '[{"gpuModel": "MI300X", "gpuCount": 4}, "x", {"gpuCount": "four"}, {"metric": 5}]',
    want: [mi300x],
    wantIgnored: [
      'deployment 2 is no object',
      'deployment 3: gpuCount is no whole number',
      'deployment 4: metric is no text of up to 1024 characters',
    ],
  },
  'an empty array': { text: '[]' },
  'more than anybody needs': {
    text: JSON.stringify(Array.from({ length: 103 }, () => mi300x)),
    want: Array.from({ length: 100 }, () => mi300x),
    wantIgnored: ['3 deployments beyond the first 100'],
  },
  'no JSON': { text: 'not json', wantMalformed: /^it is no JSON array of objects, such as/ },
  'half of it': { text: '[{"gpuModel": "MI3', wantMalformed: /no JSON array/ },
  'more than a label ought to hold': { text: ' '.repeat(300_000), wantMalformed: /longer than 256 KiB/ },
  'quotes that never end take no longer than others': {
    text: String.raw`"\"`.repeat(80_000),
    wantMalformed: /no JSON/,
  },
}
for (const [name, { text, want = [], wantIgnored = [], wantMalformed }] of Object.entries(rows)) {
  test(`the deployments label: ${name}`, () => {
    const { deployments, ignored, malformed } = readDeployments(text)
    assert.deepEqual({ deployments, ignored }, { deployments: want, ignored: wantIgnored })
    if (wantMalformed === undefined) assert.equal(malformed, undefined)
    else assert.match(malformed ?? '', wantMalformed)
  })
}

/**
 * Writes down what a real API server answers to the script in `test/conformance`, in `test/conformance/testdata`.
 * `npm run conformance:record [-- SUBJECT…]` starts one from the programs that `scripts/control-plane.ts` finds.
 */
import { subjects } from '../test/conformance/calls.ts'
import { startBareApiServer } from '../test/conformance/bare-server.ts'
import { writeRecording } from '../test/conformance/recording.ts'
import { replay } from '../test/conformance/replay.ts'

const wanted = process.argv.slice(2)
const unknown = wanted.filter((subject) => !Object.hasOwn(subjects, subject))
if (unknown.length > 0)
  throw new Error(`no such subject: ${unknown.join(', ')}; there are ${Object.keys(subjects).join(', ')}`)
await using server = await startBareApiServer(process.env)
for (const [subject, calls] of Object.entries(subjects)) {
  if (wanted.length > 0 && !wanted.includes(subject)) continue
  writeRecording(subject, await replay(server.target, subject, calls))
  console.log(`${subject}: ${Object.keys(calls).length} calls`)
}

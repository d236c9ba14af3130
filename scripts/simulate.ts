/**
 * Runs the simulation of the serving planner with further seeds: `npm run simulate -- --runs 1000000 --from 1`.
 * Prints the first seed that fails, for a test to take up.
 */
import { parseArgs } from 'node:util'
import { run } from '#serving/simulation.testkit.ts'

const { values } = parseArgs({
  options: { runs: { type: 'string', default: '1000000' }, from: { type: 'string', default: '1000000' } },
})
const from = Number(values.from)
const runs = Number(values.runs)
for (let seed = from; seed < from + runs; seed++) {
  try {
    run(seed)
  } catch (error) {
    console.error(`seed ${seed}: ${(error as Error).stack}`)
    process.exit(1)
  }
}
console.log(`${runs} runs from seed ${from}: all as they shall be`)

/** What policies and bindings tell of scaling: the number, why it is what it is, and what the next decision must know. */
import { z } from 'zod'
import { atomicList, keyedBy } from './fields.ts'

const time = () => z.iso.datetime({ offset: true })

export const unitStatus = {
  name: z.string().describe('Name of the ModelServing or role.'),
  currentReplicas: z.int32().optional().describe('Instances there are.'),
  desiredReplicas: z.int32().optional().describe('Instances that are asked for.'),
  mode: z.enum(['Stable', 'Panic']).optional().describe('Which pace holds.'),
  lastScaleTime: time().optional().describe('When the number last changed.'),
}

const DecisionMetric = z.object({
  name: z.string().describe('Name of the metric.'),
  value: z.string().optional().describe('What one instance has; absent when nothing usable was measured.'),
  target: z.string().describe('What one instance should have.'),
  proposal: z.int32().optional().describe('Instances that this metric asks for.'),
  note: z.string().optional().describe('Why there is no value, or why it changes nothing.'),
})

export const ScalingDecision = z.object({
  time: time().describe('When it was made.'),
  pool: z.string().describe('Name of the ModelServing or role; `pool` for several that scale together.'),
  current: z.int32().describe('Instances asked for before.'),
  recommended: z.int32().optional().describe('What the metrics ask for, within the bounds.'),
  stabilized: z.int32().describe('The same once its window has its say.'),
  limited: z.int32().describe('The same once the pace has its say.'),
  desired: z.int32().describe('What was decided.'),
  mode: z.enum(['Stable', 'Panic']).describe('Which pace held.'),
  rule: z.string().describe('The rule that decided.'),
  message: z.string().describe('The reason in a sentence.'),
  metrics: z.array(DecisionMetric).optional().describe('What was measured.').meta(atomicList),
})
export type ScalingDecision = z.output<typeof ScalingDecision>

export const ScalingHistory = z.object({
  pool: z.string().describe('Name of the pool.'),
  recommendations: z
    .array(
      z.object({
        time: time().describe('From when on.'),
        least: z.int32().describe('Fewest instances recommended.'),
        most: z.int32().describe('Most instances recommended.'),
      }),
    )
    .describe('What was recommended, as far back as windows look.')
    .meta(atomicList),
  levels: z
    .array(z.object({ time: time().describe('From when on.'), replicas: z.int32().describe('Instances asked for.') }))
    .describe('How many there were, as far back as periods look.')
    .meta(atomicList),
  panicUntil: time().optional().describe('When panic ends or ended.'),
  idleSince: z
    .record(z.string(), time())
    .optional()
    .describe('Since when a member could do without its last instance, by its name.'),
})
export type ScalingHistory = z.output<typeof ScalingHistory>

export const scalingTrace = {
  decisions: z.array(ScalingDecision).optional().describe('The latest decisions, the newest first.').meta(atomicList),
  history: z
    .array(ScalingHistory)
    .optional()
    .describe('What the next decision must know of the past.')
    .meta(keyedBy('pool')),
}

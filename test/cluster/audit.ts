/** What an API server says of the requests that it answered. */
import { readFileSync } from 'node:fs'

export interface AuditEntry {
  readonly verb: string
  readonly user: string
  readonly userAgent: string
  readonly group: string
  readonly resource: string
  readonly subresource: string
  readonly namespace: string
  readonly name: string
  readonly code: number
  /** The authorizer said no; admission and others may, too, and have the same code. */
  readonly forbidden: boolean
  /** When the request came, and when it was answered. */
  readonly fromMs: number
  readonly toMs: number
}

interface AuditEvent {
  readonly verb: string
  readonly user: { readonly username: string }
  readonly userAgent?: string
  readonly objectRef?: Partial<Record<'apiGroup' | 'resource' | 'subresource' | 'namespace' | 'name', string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly responseStatus?: { readonly code?: number }
  readonly requestReceivedTimestamp: string
  readonly stageTimestamp: string
}

/** Requests for resources, in the order in which they were answered. A server that is killed may leave half a line. */
export function auditEntries(file: string): AuditEntry[] {
  const lines = readFileSync(file, 'utf8').split('\n')
  return lines.flatMap((line) => {
    const event = parsed(line)
    return event?.objectRef === undefined ? [] : [entryOf(event, event.objectRef)]
  })
}

function parsed(line: string): AuditEvent | undefined {
  try {
    return JSON.parse(line) as AuditEvent
  } catch {
    return undefined
  }
}

function entryOf(event: AuditEvent, of: NonNullable<AuditEvent['objectRef']>): AuditEntry {
  const { apiGroup = '', resource = '', subresource = '', namespace = '', name = '' } = of
  return {
    verb: event.verb,
    user: event.user.username,
    userAgent: event.userAgent ?? '',
    group: apiGroup,
    resource,
    subresource,
    namespace,
    name,
    code: event.responseStatus?.code ?? 0,
    forbidden: event.annotations?.['authorization.k8s.io/decision'] === 'forbid',
    fromMs: Date.parse(event.requestReceivedTimestamp),
    toMs: Date.parse(event.stageTimestamp),
  }
}

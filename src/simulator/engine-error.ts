/** An answer other than 200, in vLLM's own envelope. */
export interface EngineError {
  readonly status: number
  readonly body: {
    readonly error: {
      readonly message: string
      readonly type: string
      readonly param: string | null
      readonly code: number
    }
  }
}

export function engineError(status: number, type: string, message: string, param: string | null = null): EngineError {
  return { status, body: { error: { message, type, param, code: status } } }
}

export function badRequest(message: string, param: string | null = null): EngineError {
  return engineError(400, 'BadRequestError', message, param)
}

export function isEngineError(value: object): value is EngineError {
  return 'status' in value && 'body' in value
}

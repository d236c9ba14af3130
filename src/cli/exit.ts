import { Fault } from '#base/fault.ts'

/** What a command's exit status means; documented in `docs/cli.md`. */
export const exitCodes = {
  ok: 0,
  /** The command ran and the answer is no: something is invalid, missing or not there in time. */
  failed: 1,
  /** Of `plan`: applying the files would change something. */
  changes: 2,
  /** The command line itself makes no sense. */
  usage: 64,
  /** A defect of Fairlead. */
  bug: 70,
} as const

/** Words for people, by kind of fault or by its code: what they can do about it. */
const hints: Readonly<Record<string, string>> = {
  NoKubeconfig: '`fairlead up` writes .fairlead/kubeconfig below the folder it runs in; --kubeconfig names another',
  denied: 'check the kubeconfig that is used (--kubeconfig, KUBECONFIG, .fairlead/kubeconfig, ~/.kube/config)',
  unavailable: 'is it running? `fairlead up` starts one on this machine',
}

/** The lines to print for a thrown value: no stack for what a user can cause. */
export function explain(error: unknown): { lines: string[]; code: number } {
  if (!(error instanceof Fault)) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return { lines: [`this is a defect of fairlead, please report it: ${text}`], code: exitCodes.bug }
  }
  const hint = hints[error.code] ?? hints[error.kind]
  return {
    lines: [`error: ${error.message}`, ...(hint === undefined ? [] : [`  ${hint}`])],
    code: error.code === 'Usage' ? exitCodes.usage : exitCodes.failed,
  }
}

export const usage = (message: string): Fault => new Fault('invalid', 'Usage', message)

/** What a command may do to the outside, so that tests can look at it. */
export interface Io {
  /** Writes to standard output as it is. */
  write(text: string): void
  /** Writes a line to standard error. */
  error(line: string): void
  /** Sets the exit status; the process ends when nothing keeps it. */
  exit(code: number): void
  /** Standard output is a terminal that shows colours and can be redrawn. */
  readonly interactive: boolean
  readonly colors: boolean
  readonly columns: number
  readonly rows: number
  readonly env: Readonly<Record<string, string | undefined>>
}

export function processIo(): Io {
  const { env, stdout } = process
  // Who read our output is gone, as `head` is after ten lines: what runs on stops in order, the rest ends here.
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE' && !process.emit('SIGPIPE', 'SIGPIPE')) process.exit()
  })
  const tty = stdout.isTTY && env['TERM'] !== 'dumb'
  return {
    write: (text) => void stdout.write(text),
    error: (line) => console.error(line),
    exit: (code) => {
      process.exitCode = code
    },
    interactive: tty && env['CI'] === undefined,
    colors: tty && (env['NO_COLOR'] ?? '') === '',
    get columns() {
      return stdout.columns || 120 // 0 where a terminal was not told its size
    },
    get rows() {
      return stdout.rows || 40
    },
    env,
  }
}

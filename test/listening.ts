/** What a process of this machine listens on, from `/proc`: Linux alone has it. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

export interface Listening {
  /** As the kernel writes it, in hexadecimal and the byte order of this machine. */
  readonly address: string
  readonly port: number
}

const listenState = '0A'

export function listeningOf(pid: number): Listening[] {
  const own = new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap(
      (fd) => /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${fd}`))?.[1] ?? [],
    ),
  )
  return ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/${pid}/net/${table}`, 'utf8')
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter(([, , , state, , , , , , inode = '']) => state === listenState && own.has(inode))
      .map(([, local = '']) => {
        const [address = '', port = ''] = local.split(':')
        return { address, port: Number.parseInt(port, 16) }
      }),
  )
}

/** 127.0.0.0/8, or ::1. */
export function isLoopback({ address }: Listening): boolean {
  return address.length === 8 ? address.endsWith('7F') : address === '00000000000000000000000001000000'
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return '' // closed in between
  }
}

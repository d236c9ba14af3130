import { chmodSync, closeSync, fdatasync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { Fault } from '#base/fault.ts'

/**
 * What a power cut may cost. In every mode an acknowledged write survives the process being killed.
 * `full`: nothing, each commit waits for the disk. `normal`: the last commits, never the store's consistency.
 * `off`: perhaps the store; for tests and for what may be lost.
 */
export const durabilities = ['full', 'normal', 'off'] as const
export type Durability = (typeof durabilities)[number]

export interface LogRow {
  readonly revision: number
  readonly resource: string
  readonly namespace: string
  readonly name: string
  readonly deleted: boolean
  readonly atMs: number
  /** The object's text; for a removed one its last state. */
  readonly text: string
}

/**
 * The store on disk: one row a revision, in one SQLite file. A row goes when a later one of its key is compacted, so
 * the rows are always the live objects as of `compacted` and every change since.
 */
export interface RevisionLog {
  compacted(): number
  rows(): Iterable<LogRow>
  /** All rows or, when it throws, none. They outlive this process, but a power cut only after `sync`. */
  append(rows: readonly LogRow[]): void
  /** Waits for the disk, off the event loop; undefined where the durability asks for no wait. */
  sync(): Promise<void> | undefined
  compact(revision: number, superseded: readonly number[]): void
  close(): void
}

/** Raised when a file of an older format can no longer be read as it is; `openLog` then migrates. */
const formatVersion = 1

const layout = `
  CREATE TABLE log (
    revision INTEGER PRIMARY KEY,
    resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
    deleted INTEGER NOT NULL, at_ms INTEGER NOT NULL, text TEXT NOT NULL
  ) STRICT;
  CREATE TABLE compaction (revision INTEGER NOT NULL) STRICT;
  INSERT INTO compaction VALUES (1);
  CREATE VIEW live AS
    SELECT max(revision) AS revision, resource, namespace, name, text, deleted FROM log
    GROUP BY resource, namespace, name HAVING deleted = 0;
  PRAGMA user_version = ${formatVersion};
`

export function openLog(path: string, durability: Durability): RevisionLog {
  const db = new DatabaseSync(path)
  try {
    // Secrets are in it; SQLite gives the files beside it the same mode.
    if (path !== ':memory:') chmodSync(path, 0o600)
    prepare(db, path, durability)
  } catch (error) {
    db.close()
    throw error
  }
  const insert = db.prepare('INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?)')
  const remove = db.prepare('DELETE FROM log WHERE revision = ?')
  const setCompacted = db.prepare('UPDATE compaction SET revision = ?')
  const transact = (run: () => void): void => {
    db.exec('BEGIN IMMEDIATE')
    try {
      run()
      db.exec('COMMIT')
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK')
      throw error
    }
  }
  const wal = durability === 'full' ? openWal(db, path) : undefined
  return {
    compacted: () => Number(db.prepare('SELECT revision FROM compaction').get()?.['revision']),
    *rows() {
      for (const row of db.prepare('SELECT * FROM log ORDER BY revision').iterate()) {
        yield {
          revision: Number(row['revision']),
          resource: String(row['resource']),
          namespace: String(row['namespace']),
          name: String(row['name']),
          deleted: row['deleted'] === 1,
          atMs: Number(row['at_ms']),
          text: String(row['text']),
        }
      }
    },
    append(rows) {
      transact(() => {
        for (const { revision, resource, namespace, name, deleted, atMs, text } of rows) {
          insert.run(revision, resource, namespace, name, Number(deleted), atMs, text)
        }
      })
    },
    sync() {
      if (wal === undefined) return undefined
      return new Promise((resolve, reject) => fdatasync(wal, (error) => (error === null ? resolve() : reject(error))))
    },
    compact(revision, superseded) {
      transact(() => {
        for (const old of superseded) remove.run(old)
        setCompacted.run(revision)
      })
    },
    close() {
      if (wal !== undefined) closeSync(wal)
      db.close()
    },
  }
}

/**
 * From here on the waiting is ours: SQLite would do it within COMMIT, and nothing else could run meanwhile. What
 * `synchronous = NORMAL` leaves out is this one wait; the order of writes that keeps the file whole stays SQLite's.
 * A first commit with FULL makes the WAL and its directory entry durable.
 * @see https://www.sqlite.org/pragma.html#pragma_synchronous
 */
function openWal(db: DatabaseSync, path: string): number | undefined {
  if (path === ':memory:') return undefined
  db.exec('UPDATE compaction SET revision = revision')
  db.exec('PRAGMA synchronous = NORMAL')
  return openSync(`${path}-wal`, 'r+')
}

function prepare(db: DatabaseSync, path: string, durability: Durability): void {
  try {
    db.exec(`PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = ${durability}`)
    db.exec('BEGIN IMMEDIATE; COMMIT') // takes the lock now, not at the first write
  } catch (error) {
    const inUse = error instanceof Error && 'errcode' in error && error.errcode === sqliteBusy
    if (!inUse) throw new Fault('invalid', 'StoreFormat', `${path} is not a store that can be opened`, { cause: error })
    throw new Fault('conflict', 'StoreInUse', `${path} is in use by another process; stop it, or choose another file`)
  }
  const found = Number(db.prepare('PRAGMA user_version').get()?.['user_version'])
  if (found === formatVersion) return
  if (found !== 0) {
    throw new Fault('invalid', 'StoreFormat', `${path} has format ${found}; this program reads ${formatVersion}`)
  }
  db.exec(`BEGIN; ${layout} COMMIT`)
}

const sqliteBusy = 5

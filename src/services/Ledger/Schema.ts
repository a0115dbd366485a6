/** The tables, and how those of an older version become those of this one. */
import type { DatabaseSync } from "node:sqlite"

/** Says whose database it is: `ibsr` in ASCII. */
export const applicationId = 0x69627372

/**
 * Each brings the schema to the version that is its number, counted from 1. One that was released is never changed.
 *
 * Times are in milliseconds since 1970, but `mtime_ns`. Where nothing else is said, NULL means: never acknowledged.
 */
const migrations: ReadonlyArray<string> = [
  `
  CREATE TABLE targets (
    id INTEGER PRIMARY KEY,
    endpoint TEXT NOT NULL, -- empty: AWS
    bucket TEXT NOT NULL,
    prefix TEXT NOT NULL,
    mapping TEXT NOT NULL,  -- how keys are made from paths
    input TEXT NOT NULL,    -- of the last run
    input_since INTEGER NOT NULL,
    UNIQUE (endpoint, bucket, prefix, mapping)
  ) STRICT;

  CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    target INTEGER NOT NULL REFERENCES targets,
    name TEXT NOT NULL,     -- $INVOCATION_ID, or a UUID
    started_at INTEGER NOT NULL,
    ended_at INTEGER,       -- NULL: it is running, or was killed
    exit_code INTEGER
  ) STRICT;
  CREATE INDEX runs_of_target ON runs (target, started_at);

  CREATE TABLE files (
    target INTEGER NOT NULL REFERENCES targets,
    path TEXT NOT NULL,
    first_seen INTEGER NOT NULL,
    pending_since INTEGER,  -- NULL: all that was seen of it is stored
    fate TEXT CHECK (fate IN ('gone', 'lost')), -- NULL: it was there when last looked for
    reserved INTEGER NOT NULL DEFAULT 1,        -- the highest generation whose key it was given
    generation INTEGER,     -- of the object
    key TEXT,
    size INTEGER,           -- of the object
    digest BLOB,            -- SHA-256 of the object
    head BLOB,              -- SHA-256 of its first 4,096 bytes
    state TEXT CHECK (state IN ('final', 'live')),
    etag TEXT,
    version_id TEXT,
    file_size INTEGER,      -- this and the next three: stat of the file when it was read
    mtime_ns INTEGER,
    device INTEGER,
    inode INTEGER,
    acknowledged_at INTEGER,
    run INTEGER REFERENCES runs, -- that stored it
    PRIMARY KEY (target, path)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX unsettled_files ON files (target, path)
    WHERE fate IS NULL AND (pending_since IS NOT NULL OR state = 'live');

  -- uploads without an answer (yet): their objects may have been stored
  CREATE TABLE attempts (
    target INTEGER NOT NULL,
    path TEXT NOT NULL,
    generation INTEGER NOT NULL,
    size INTEGER NOT NULL,
    digest BLOB NOT NULL,
    head BLOB NOT NULL,
    PRIMARY KEY (target, path)
  ) STRICT, WITHOUT ROWID;
  `,
  // what the store takes with a body; CRC32 as long as it has not refused it
  "ALTER TABLE targets ADD COLUMN checksum TEXT NOT NULL DEFAULT 'CRC32' CHECK (checksum IN ('CRC32', 'MD5'))",
  // From here on, digests of contents larger than 8 MiB are of blocks, and have the number of blocks behind them.
  `
  -- multipart uploads that are neither completed nor aborted, to be gone on with
  CREATE TABLE uploads (
    target INTEGER NOT NULL REFERENCES targets,
    path TEXT NOT NULL,
    upload_id TEXT NOT NULL,
    key TEXT NOT NULL,
    generation INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('final', 'live')),
    part_size INTEGER NOT NULL,
    attributes TEXT NOT NULL, -- digest of what the object is stored with
    checksum TEXT NOT NULL CHECK (checksum IN ('CRC32', 'MD5')),
    size INTEGER NOT NULL,    -- of the content that it was for when it was worked on last
    used_at INTEGER NOT NULL, -- when it was
    PRIMARY KEY (target, path)
  ) STRICT, WITHOUT ROWID;

  -- what the store has of them
  CREATE TABLE parts (
    target INTEGER NOT NULL,
    path TEXT NOT NULL,
    number INTEGER NOT NULL,
    size INTEGER NOT NULL,
    sha256 BLOB NOT NULL,
    etag TEXT NOT NULL,
    crc32 TEXT,               -- NULL: bodies go with MD5
    PRIMARY KEY (target, path, number)
  ) STRICT, WITHOUT ROWID;
  `,
  // those that its keys were ever given behind the names of its generations, as in .zst.gz
  "ALTER TABLE files ADD COLUMN endings TEXT NOT NULL DEFAULT ''",
  // SHA256 in place of CRC32, but for uploads that were begun with it: none is gone on with in another way
  `
  ALTER TABLE targets RENAME COLUMN checksum TO former;
  ALTER TABLE targets ADD COLUMN checksum TEXT NOT NULL DEFAULT 'SHA256' CHECK (checksum IN ('SHA256', 'MD5'));
  UPDATE targets SET checksum = former WHERE former = 'MD5';
  ALTER TABLE targets DROP COLUMN former;

  ALTER TABLE uploads RENAME COLUMN checksum TO former;
  ALTER TABLE uploads ADD COLUMN checksum TEXT NOT NULL DEFAULT 'CRC32' CHECK (checksum IN ('CRC32', 'SHA256', 'MD5'));
  UPDATE uploads SET checksum = former;
  ALTER TABLE uploads DROP COLUMN former;

  ALTER TABLE parts DROP COLUMN crc32;
  `
]

/** Of the schema that this program writes. */
export const version = migrations.length

/** Whether this program can work with the database. */
export const isOurs = (db: DatabaseSync): boolean =>
  isEmpty(db) || (pragma(db, "application_id") === applicationId && pragma(db, "user_version") <= version)

/** Nothing is in it: its making was cut off. */
export const isEmpty = (db: DatabaseSync): boolean =>
  db.prepare("SELECT count(*) AS tables FROM sqlite_schema").get()?.["tables"] === 0

/** Brings the schema up to date, in one step or not at all. Tests make ledgers of older versions. */
export const migrate = (db: DatabaseSync, to = version): void => {
  const from = pragma(db, "user_version")
  if (from === to) return
  db.exec(`BEGIN IMMEDIATE; PRAGMA application_id = ${applicationId};`)
  for (const migration of migrations.slice(from, to)) db.exec(migration)
  db.exec(`PRAGMA user_version = ${to}; COMMIT`)
}

const pragma = (db: DatabaseSync, name: "application_id" | "user_version") =>
  Number(db.prepare(`PRAGMA ${name}`).get()?.[name])

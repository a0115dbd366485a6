/** The tables, and the migrations from older versions. This module is long because it has every migration. */
import { DatabaseSync, type SQLInputValue } from "node:sqlite"

/** Marks the database as this program's: `ibsr` in ASCII. */
export const applicationId = 0x69627372

/**
 * The n-th migration, counted from 1, brings the schema to version n. A released migration never changes.
 *
 * Times are in milliseconds since 1970, except `mtime_ns` and `ctime_ns`. NULL means "never acknowledged" unless a
 * comment says otherwise.
 */
const migrations: ReadonlyArray<string> = [
  `
  CREATE TABLE targets (
    id INTEGER PRIMARY KEY,
    endpoint TEXT NOT NULL, -- empty: AWS
    bucket TEXT NOT NULL,
    prefix TEXT NOT NULL,
    mapping TEXT NOT NULL,  -- how keys are made from paths
    input TEXT NOT NULL,    -- input directory of the last run
    input_since INTEGER NOT NULL,
    UNIQUE (endpoint, bucket, prefix, mapping)
  ) STRICT;

  CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    target INTEGER NOT NULL REFERENCES targets,
    name TEXT NOT NULL,     -- $INVOCATION_ID, or a UUID
    started_at INTEGER NOT NULL,
    ended_at INTEGER,       -- NULL: still running, or killed
    exit_code INTEGER
  ) STRICT;
  CREATE INDEX runs_of_target ON runs (target, started_at);

  CREATE TABLE files (
    target INTEGER NOT NULL REFERENCES targets,
    path TEXT NOT NULL,
    first_seen INTEGER NOT NULL,
    pending_since INTEGER,  -- NULL: not pending
    fate TEXT CHECK (fate IN ('gone', 'lost')), -- NULL: it existed when last looked for
    reserved INTEGER NOT NULL DEFAULT 1,        -- the highest generation whose key is reserved for it
    generation INTEGER,     -- of the object
    key TEXT,
    size INTEGER,           -- of the object
    digest BLOB,            -- SHA-256 of the object
    head BLOB,              -- SHA-256 of its first 4,096 bytes
    state TEXT CHECK (state IN ('final', 'live')),
    etag TEXT,
    version_id TEXT,
    file_size INTEGER,      -- this and the next three: the file's stat when it was read
    mtime_ns INTEGER,
    device INTEGER,
    inode INTEGER,
    acknowledged_at INTEGER,
    run INTEGER REFERENCES runs, -- the run that stored it
    PRIMARY KEY (target, path)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX unsettled_files ON files (target, path)
    WHERE fate IS NULL AND (pending_since IS NOT NULL OR state = 'live');

  -- announced uploads without a known result: their objects may have been stored
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
  // the checksum to send with a body: CRC32 until the store refuses it
  "ALTER TABLE targets ADD COLUMN checksum TEXT NOT NULL DEFAULT 'CRC32' CHECK (checksum IN ('CRC32', 'MD5'))",
  // From this version on, digests of content larger than 8 MiB are block digests, followed by the number of blocks.
  `
  -- multipart uploads that are neither completed nor aborted, to be resumed
  CREATE TABLE uploads (
    target INTEGER NOT NULL REFERENCES targets,
    path TEXT NOT NULL,
    upload_id TEXT NOT NULL,
    key TEXT NOT NULL,
    generation INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('final', 'live')),
    part_size INTEGER NOT NULL,
    attributes TEXT NOT NULL, -- digest of the object's attributes
    checksum TEXT NOT NULL CHECK (checksum IN ('CRC32', 'MD5')),
    size INTEGER NOT NULL,    -- of the content when the upload was last used
    used_at INTEGER NOT NULL, -- when that was
    PRIMARY KEY (target, path)
  ) STRICT, WITHOUT ROWID;

  -- their parts that the store acknowledged
  CREATE TABLE parts (
    target INTEGER NOT NULL,
    path TEXT NOT NULL,
    number INTEGER NOT NULL,
    size INTEGER NOT NULL,
    sha256 BLOB NOT NULL,
    etag TEXT NOT NULL,
    crc32 TEXT,               -- NULL: sent with MD5
    PRIMARY KEY (target, path, number)
  ) STRICT, WITHOUT ROWID;
  `,
  // every compression suffix that the file's keys have ever had, concatenated: .zst.gz
  "ALTER TABLE files ADD COLUMN endings TEXT NOT NULL DEFAULT ''",
  // SHA256 replaces CRC32, except for uploads created with CRC32: an upload keeps its checksum
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
  `,
  // lower and upper bound of how long the collector keeps a snapshot, in milliseconds; NULL if unknown
  `
  ALTER TABLE targets ADD COLUMN retention_least INTEGER;
  ALTER TABLE targets ADD COLUMN retention_most INTEGER;
  `,
  // Whether the response to a part contained its checksum. Earlier versions assumed that every response did.
  "ALTER TABLE parts ADD COLUMN confirmed INTEGER NOT NULL DEFAULT 1 CHECK (confirmed IN (0, 1))",
  // the region is part of a target's name; empty if unknown
  `
  CREATE TABLE named_targets (
    id INTEGER PRIMARY KEY,
    endpoint TEXT NOT NULL,
    bucket TEXT NOT NULL,
    prefix TEXT NOT NULL,
    mapping TEXT NOT NULL,
    region TEXT NOT NULL,
    input TEXT NOT NULL,
    input_since INTEGER NOT NULL,
    checksum TEXT NOT NULL DEFAULT 'SHA256' CHECK (checksum IN ('SHA256', 'MD5')),
    retention_least INTEGER,
    retention_most INTEGER,
    UNIQUE (endpoint, bucket, prefix, mapping, region)
  ) STRICT;
  INSERT INTO named_targets
    SELECT id, endpoint, bucket, prefix, mapping, '', input, input_since, checksum, retention_least, retention_most
    FROM targets;
  DROP TABLE targets;
  ALTER TABLE named_targets RENAME TO targets;
  `,
  // removes the constraint, because some stores accept no checksum
  `
  ALTER TABLE targets RENAME COLUMN checksum TO former;
  ALTER TABLE targets ADD COLUMN checksum TEXT NOT NULL DEFAULT 'SHA256' CHECK (checksum IN ('SHA256', 'MD5', 'none'));
  UPDATE targets SET checksum = former;
  ALTER TABLE targets DROP COLUMN former;

  ALTER TABLE uploads RENAME COLUMN checksum TO former;
  ALTER TABLE uploads ADD COLUMN checksum TEXT NOT NULL DEFAULT 'CRC32'
    CHECK (checksum IN ('CRC32', 'SHA256', 'MD5', 'none'));
  UPDATE uploads SET checksum = former;
  ALTER TABLE uploads DROP COLUMN former;
  `,
  // part of the file's stat; NULL if an older version stored the file without recording it
  "ALTER TABLE files ADD COLUMN ctime_ns INTEGER",
  // Runs are compared by their numbers, because the clock may be set back. 0: a run of an older version.
  `
  ALTER TABLE targets ADD COLUMN input_run INTEGER NOT NULL DEFAULT 0; -- the first run that used the input directory
  ALTER TABLE files ADD COLUMN pending_run INTEGER NOT NULL DEFAULT 0; -- the run that last made the file pending
  UPDATE files SET pending_run = -1
    WHERE coalesce(pending_since, acknowledged_at) < (SELECT input_since FROM targets WHERE id = target);
  ALTER TABLE targets DROP COLUMN input_since;
  `,
  // the number of completions of a file's multipart uploads without a response, since the last completion with a
  // response
  `
  CREATE TABLE lost_completions (
    target INTEGER NOT NULL,
    path TEXT NOT NULL,
    count INTEGER NOT NULL,
    at INTEGER NOT NULL, -- the last one
    PRIMARY KEY (target, path)
  ) STRICT, WITHOUT ROWID;
  `,
  // whether the store honours If-None-Match
  "ALTER TABLE targets ADD COLUMN honours_condition INTEGER NOT NULL DEFAULT 0 CHECK (honours_condition IN (0, 1))",
  // Where this program last wrote the ledger, in one row. A copy of the ledger, or a clone of its host, is in a
  // different place.
  `
  CREATE TABLE origin (machine TEXT NOT NULL, inode INTEGER NOT NULL, born_ns INTEGER NOT NULL) STRICT;

  -- why the store may hold objects that the ledger does not know; NULL: nothing suggests that it does
  ALTER TABLE targets ADD COLUMN doubt TEXT CHECK (doubt IN ('machine', 'copy'));
  -- the first generation whose keys only this ledger uses
  ALTER TABLE targets ADD COLUMN first_generation INTEGER NOT NULL DEFAULT 1;
  -- whether the file's keys below that generation may hold content that the ledger does not know
  ALTER TABLE files ADD COLUMN doubtful INTEGER NOT NULL DEFAULT 0 CHECK (doubtful IN (0, 1));
  `,
  // What manifests say about an object. NULL if unknown, because the object was stored without --manifest.
  `
  ALTER TABLE files ADD COLUMN object_size INTEGER;
  ALTER TABLE files ADD COLUMN sha256 BLOB;      -- of the whole content, if \`digest\` is that of blocks
  ALTER TABLE files ADD COLUMN lines INTEGER;
  ALTER TABLE files ADD COLUMN first_time INTEGER; -- ts_unix_sec of the first line, in seconds
  ALTER TABLE files ADD COLUMN last_time INTEGER;
  ALTER TABLE files ADD COLUMN interval_sec REAL;
  ALTER TABLE files ADD COLUMN collector_run TEXT;

  -- objects under keys that a file no longer goes to: earlier generations, and those from before a change of --compress
  CREATE TABLE former_objects (
    target INTEGER NOT NULL,
    path TEXT NOT NULL,
    key TEXT NOT NULL,
    generation INTEGER NOT NULL,
    size INTEGER NOT NULL,
    object_size INTEGER,
    digest BLOB NOT NULL,
    sha256 BLOB,
    lines INTEGER,
    first_time INTEGER,
    last_time INTEGER,
    interval_sec REAL,
    collector_run TEXT,
    state TEXT NOT NULL,
    etag TEXT,
    version_id TEXT,
    acknowledged_at INTEGER NOT NULL,
    PRIMARY KEY (target, path, key)
  ) STRICT, WITHOUT ROWID;
  CREATE TRIGGER former_object AFTER UPDATE OF key ON files WHEN OLD.key <> NEW.key BEGIN
    INSERT OR REPLACE INTO former_objects VALUES (OLD.target, OLD.path, OLD.key, OLD.generation, OLD.size,
      OLD.object_size, OLD.digest, OLD.sha256, OLD.lines, OLD.first_time, OLD.last_time, OLD.interval_sec,
      OLD.collector_run, OLD.state, OLD.etag, OLD.version_id, OLD.acknowledged_at);
  END;

  -- directories with files that changed since their manifest was written
  CREATE TABLE changed_directories (
    target INTEGER NOT NULL,
    directory TEXT NOT NULL, -- ends in /; empty: the input itself
    PRIMARY KEY (target, directory)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO changed_directories SELECT DISTINCT target, rtrim(path, replace(path, '/', '')) FROM files;

  -- the manifests in the bucket
  CREATE TABLE manifests (
    target INTEGER NOT NULL,
    directory TEXT NOT NULL,
    digest BLOB NOT NULL, -- SHA-256
    PRIMARY KEY (target, directory)
  ) STRICT, WITHOUT ROWID;
  `,
  // why the run failed, in one sentence; NULL if it succeeded, or if an older version did not record the reason
  "ALTER TABLE runs ADD COLUMN cause TEXT"
]

/** The schema version that this program writes. */
export const version = migrations.length

/** Whether this version can use the database: it is empty, or has this program's mark and no newer schema. */
export const isOurs = (db: DatabaseSync): boolean =>
  isEmpty(db) || (pragma(db, "application_id") === applicationId && pragma(db, "user_version") <= version)

/** Whether the database has no tables: its creation was interrupted. */
export const isEmpty = (db: DatabaseSync): boolean =>
  db.prepare("SELECT count(*) AS tables FROM sqlite_schema").get()?.["tables"] === 0

/** A copy in memory with the schema of this version, for reading a ledger that must not change. */
export const migratedCopy = (db: DatabaseSync): DatabaseSync => {
  const copy = new DatabaseSync(":memory:", { enableForeignKeyConstraints: false })
  copy.exec(`PRAGMA user_version = ${pragma(db, "user_version")}`)
  const objects = db.prepare("SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL").all()
  for (const { name, sql, type } of objects) {
    copy.exec(String(sql))
    if (type !== "table") continue
    const select = db.prepare(`SELECT * FROM ${String(name)}`)
    select.setReadBigInts(true)
    select.setReturnArrays(true)
    const insert = copy.prepare(
      `INSERT INTO ${String(name)} VALUES (${select
        .columns()
        .map(() => "?")
        .join()})`
    )
    for (const row of select.iterate() as unknown as Iterable<ReadonlyArray<SQLInputValue>>) insert.run(...row)
  }
  migrate(copy)
  return copy
}

/** Whether the schema is that of this version. */
export const isCurrent = (db: DatabaseSync): boolean => pragma(db, "user_version") === version

/** Migrates the schema to version `to`, in one transaction. Tests create ledgers of older versions. */
export const migrate = (db: DatabaseSync, to = version): void => {
  const from = pragma(db, "user_version")
  if (from === to) return
  // foreign keys are off, because rows refer to a missing table while that table is replaced
  db.exec(`PRAGMA foreign_keys = OFF; BEGIN IMMEDIATE; PRAGMA application_id = ${applicationId};`)
  for (const migration of migrations.slice(from, to)) db.exec(migration)
  db.exec(`PRAGMA user_version = ${to}; COMMIT; PRAGMA foreign_keys = ON`)
}

const pragma = (db: DatabaseSync, name: "application_id" | "user_version") =>
  Number(db.prepare(`PRAGMA ${name}`).get()?.[name])

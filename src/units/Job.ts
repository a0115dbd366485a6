/** The job that units and crontab lines start. */
import type { Settings } from "../domain/Settings.ts"

export interface Job {
  /** The absolute path of the program. */
  readonly program: string
  /** A command and its flags; each element is one word. */
  readonly args: ReadonlyArray<string>
  /** The user that runs the job; if undefined, systemd allocates a user for each run. */
  readonly user: string | undefined
  /** Groups that can read the snapshots. */
  readonly groups: ReadonlyArray<string>
  /** The absolute paths in the values of the flags. */
  readonly paths: ReadonlyArray<string>
  /** Directories that a run writes to, except the state directory: some of `paths`, or their parents. */
  readonly writes: ReadonlyArray<string>
  /** Values of the flags, including defaults. */
  readonly settings: Pick<Settings, "deadline" | "giveUpAfter" | "grace" | "lockWait" | "memoryBytes" | "timeout">
}

/** A file for one of the system's directories. */
export interface File {
  readonly folder: string
  readonly name: string
  readonly text: string
}

/** The file of environment variables that replace flags, or that the SDK and Node read. */
export const environmentFile = "/etc/ibsr-export/export.env"

/** The path of `StateDirectory=ibsr-export`; cron jobs use it, too. */
export const stateDirectory = "/var/lib/ibsr-export"

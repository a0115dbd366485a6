/** What units and cron lines are made for. */
import type { Settings } from "../domain/Settings.ts"

export interface Job {
  /** Absolute path of the program. */
  readonly program: string
  /** What it is started with: a command, and its flags, each in one word. */
  readonly args: ReadonlyArray<string>
  /** Who runs it; undefined: a user that systemd makes up for the time of each run. */
  readonly user: string | undefined
  /** Groups that may read the snapshots. */
  readonly groups: ReadonlyArray<string>
  /** Absolute paths that the flags name. */
  readonly paths: ReadonlyArray<string>
  /** Folders among them, or above them, that a run writes to, besides the state directory. */
  readonly writes: ReadonlyArray<string>
  /** The flags' values, and the defaults of those that are not given. */
  readonly settings: Pick<Settings, "deadline" | "giveUpAfter" | "grace" | "lockWait" | "memoryBytes" | "timeout">
}

/** A file to be put into one of the system's folders. */
export interface File {
  /** Folder that it belongs into. */
  readonly folder: string
  readonly name: string
  readonly text: string
}

/** Where variables may stand that stand in for flags, or that the SDK and Node ask for. */
export const environmentFile = "/etc/ibsr-export/export.env"

/** Below systemd's and cron's reach alike: what `StateDirectory=` comes to. */
export const stateDirectory = "/var/lib/ibsr-export"

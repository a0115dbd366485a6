/** The job that units and crontab lines start. */
import type { Settings } from "../domain/Settings.ts"

export interface Job {
  readonly names: Names
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
  /** The directories that a run writes to, except the state directory. Each is one of `paths` or the parent of one. */
  readonly writes: ReadonlyArray<string>
  /** Values of the flags, including defaults. */
  readonly settings: Pick<Settings, "deadline" | "giveUpAfter" | "grace" | "lockWait" | "memoryBytes" | "timeout">
}

/** A file for one of the system's directories. */
export interface File {
  readonly folder: string
  readonly name: string
  readonly text: string
  /** Whether the file is an example that users should change. A changed one is kept. */
  readonly isExample: boolean
}

/** The names of a job's files. The jobs of a host have no names in common. */
export interface Names {
  /** The units and the file for cron, without a suffix. */
  readonly unit: string
  /** The value of `StateDirectory=`; also the name of the metrics file. */
  readonly state: string
  /** The path of `StateDirectory=`. A cron job has its ledger there, too. */
  readonly stateDirectory: string
  /** The file of environment variables that replace flags, or that the SDK and Node read. */
  readonly environmentFile: string
}

/** `job` is the value of `--name`. It contains neither a slash nor a dot: cron ignores files with a dot in their name. */
export const namesOf = (job: string | undefined): Names => {
  const suffix = job === undefined ? "" : `-${job}`
  return {
    unit: `ibsr-upload${suffix}`,
    state: `ibsr-export${suffix}`,
    stateDirectory: `/var/lib/ibsr-export${suffix}`,
    environmentFile: `/etc/ibsr-export/export${suffix}.env`
  }
}

/** The names without `--name`. */
export const { environmentFile, stateDirectory } = namesOf(undefined)

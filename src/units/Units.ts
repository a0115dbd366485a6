/** The systemd units for a job. */
import * as Alert from "./Alert.ts"
import * as DropIns from "./DropIns.ts"
import type { File, Job } from "./Job.ts"
import * as Marker from "./Marker.ts"
import * as Service from "./Service.ts"
import * as Timer from "./Timer.ts"

const folder = "/etc/systemd/system"

/** Returns the service, its timer, its alert, and the requested drop-ins. */
export const files = (job: Job, dropIns: ReadonlyArray<DropIns.Name>): ReadonlyArray<File> => {
  const identity = Marker.identityOf(job)
  const { unit } = job.names
  const file = (name: string, of: string | undefined, body: string, isExample = false): File => ({
    folder,
    name,
    text: Marker.mark(of, body),
    isExample
  })
  return [
    file(`${unit}.service`, identity, Service.text(job)),
    file(`${unit}.timer`, identity, Timer.text(job)),
    file("ibsr-alert@.service", undefined, Alert.text, true),
    ...[...new Set(dropIns)].map((name) =>
      file(`${unit}.service.d/${DropIns.dropIns[name].file}`, undefined, DropIns.text(name, job.names))
    )
  ]
}

/**
 * Whether the path is in a directory that the service cannot see, because `PrivateTmp=` replaces it with a private one.
 */
const isPrivate = (path: string) => /^\/(?:tmp|var\/tmp)(?:\/|$)/.test(path)

/** The reasons why this job cannot run as a unit. */
export const problems = ({ paths, program }: Job): ReadonlyArray<string> => [
  ...paths.filter(isPrivate).map((path) => `${path}: a unit has its own /tmp and /var/tmp; use a path elsewhere`),
  ...(/["'\\\p{Cc}]/u.test(program)
    ? [`${program}: systemd does not start programs with quotes, backslashes or line breaks in their path`]
    : []),
  ...(isPrivate(program) ? [`${program}: a unit cannot start a program there; set --program to the installed one`] : [])
]

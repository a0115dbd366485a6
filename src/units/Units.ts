/** The systemd units for a job. */
import * as Alert from "./Alert.ts"
import * as DropIns from "./DropIns.ts"
import type { File, Job } from "./Job.ts"
import * as Service from "./Service.ts"
import * as Timer from "./Timer.ts"

const folder = "/etc/systemd/system"

/** The service, its timer, its alert, and the requested drop-ins. */
export const files = (job: Job, dropIns: ReadonlyArray<DropIns.Name>): ReadonlyArray<File> => [
  { folder, name: "ibsr-upload.service", text: Service.text(job) },
  { folder, name: "ibsr-upload.timer", text: Timer.text },
  { folder, name: "ibsr-alert@.service", text: Alert.text },
  ...[...new Set(dropIns)].map((name) => ({
    folder,
    name: `ibsr-upload.service.d/${DropIns.dropIns[name].file}`,
    text: DropIns.text(name)
  }))
]

/** Whether the path is in a directory that `PrivateTmp=` replaces by a private one. */
const isPrivate = (path: string) => /^\/(?:tmp|var\/tmp)(?:\/|$)/.test(path)

/** The reasons why this job cannot run as a unit. */
export const problems = ({ paths, program }: Job): ReadonlyArray<string> => [
  ...paths.filter(isPrivate).map((path) => `${path}: a unit has its own /tmp and /var/tmp; use a path elsewhere`),
  ...(/["'\\\p{Cc}]/u.test(program)
    ? [`${program}: systemd does not start programs with quotes, backslashes or line breaks in their path`]
    : []),
  ...(isPrivate(program) ? [`${program}: a unit cannot start a program there; set --program to the installed one`] : [])
]

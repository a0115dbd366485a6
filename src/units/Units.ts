/** The systemd units, made from the flags of a run, so that nobody writes them by hand. */
import * as Alert from "./Alert.ts"
import * as DropIns from "./DropIns.ts"
import type { File, Job } from "./Job.ts"
import * as Service from "./Service.ts"
import * as Timer from "./Timer.ts"

const folder = "/etc/systemd/system"

/** The service, its timer and its alert, and the drop-ins asked for. */
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

/** A unit has folders of its own there. */
const isPrivate = (path: string) => /^\/(?:tmp|var\/tmp)(?:\/|$)/.test(path)

/** Why this job cannot run as a unit. */
export const problems = ({ paths, program }: Job): ReadonlyArray<string> => [
  ...paths
    .filter(isPrivate)
    .map((path) => `${path}: a unit has a /tmp and a /var/tmp of its own; give a path elsewhere`),
  ...(/["'\\\p{Cc}]/u.test(program)
    ? [`${program}: systemd starts no program with quotes, backslashes or line breaks in its path`]
    : []),
  ...(isPrivate(program) ? [`${program}: a unit cannot start it there; --program names the installed one`] : [])
]

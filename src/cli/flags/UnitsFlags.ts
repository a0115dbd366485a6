/** The flags that `units` has besides those of `s3`. They have no variables: a unit must not depend on a user's shell. */
import * as DropIns from "../../units/DropIns.ts"
import * as Flag from "./Flag.ts"
import * as Values from "./Values.ts"

const group = "Units"

export const unitsFlags = {
  name: Flag.optional({
    name: "name",
    group,
    value: "JOB",
    description: "name of an additional job on this host; the names of all files and directories of the job contain it",
    env: [],
    parse: Values.jobName
  }),
  user: Flag.optional({
    name: "user",
    group,
    value: "NAME",
    description: "user that runs the upload; without it, systemd allocates one; --cron needs it",
    env: [],
    parse: Values.account
  }),
  groups: Flag.repeated({
    name: "group",
    group,
    value: "NAME",
    description: "group that may read the snapshots; repeatable",
    env: [],
    parse: Values.account
  }),
  program: Flag.optional({
    name: "program",
    group,
    value: "FILE",
    description: "program to start; by default, this one",
    env: [],
    parse: Values.file
  }),
  dropIn: Flag.repeated({
    name: "drop-in",
    group,
    value: "NAME",
    description: `also print ${DropIns.names.join(", ")}; repeatable`,
    env: [],
    parse: Values.choice(...DropIns.names)
  }),
  cron: Flag.toggle({
    name: "cron",
    group,
    description: "print a file for /etc/cron.d instead",
    env: []
  }),
  to: Flag.optional({
    name: "to",
    group,
    value: "DIR",
    description:
      "write the files to DIR instead of printing them; never replaces files of other jobs or files that you changed",
    env: [],
    parse: Values.directory
  })
}

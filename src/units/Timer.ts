/** The timer unit: once an hour. */
import type { Job } from "./Job.ts"

export const text = ({ names }: Pick<Job, "names">): string =>
  [
    `# Put changes into drop-ins in ${names.unit}.timer.d.`,
    "[Unit]",
    "Description=Upload IBSR snapshots every hour",
    "",
    "[Timer]",
    "# at this time the snapshot of the last hour is final, and is sent only once",
    "OnCalendar=*-*-* *:03:00",
    "# spreads the load of many hosts and jobs; each job of a host always has the same delay",
    "RandomizedDelaySec=10min",
    "FixedRandomDelay=yes",
    "# makes up for missed hours after the next boot",
    "Persistent=yes",
    "",
    "[Install]",
    "WantedBy=timers.target",
    ""
  ].join("\n")

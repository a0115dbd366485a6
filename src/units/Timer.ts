/** The timer unit: once an hour. */
export const text: string = [
  "# Made by `ibsr-export units`, which overwrites this file. Put changes into drop-ins in ibsr-upload.timer.d.",
  "[Unit]",
  "Description=Upload IBSR snapshots every hour",
  "",
  "[Timer]",
  "# at this time the snapshot of the last hour is final, and is sent only once",
  "OnCalendar=*-*-* *:03:00",
  "# spreads the load of many hosts; each host always has the same delay",
  "RandomizedDelaySec=10min",
  "FixedRandomDelay=yes",
  "# makes up for missed hours after the next boot",
  "Persistent=yes",
  "",
  "[Install]",
  "WantedBy=timers.target",
  ""
].join("\n")

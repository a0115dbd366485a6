/** The timer: once an hour. */
export const text: string = [
  "# Made by `ibsr-export units`. Drop-ins in ibsr-upload.timer.d change it, and outlive the next time.",
  "[Unit]",
  "Description=Upload IBSR snapshots every hour",
  "",
  "[Timer]",
  "# by then the snapshot of the hour before is final, and is sent once instead of twice",
  "OnCalendar=*-*-* *:03:00",
  "# hosts one after the other, each always at the same minute",
  "RandomizedDelaySec=10min",
  "FixedRandomDelay=yes",
  "# an hour that was missed is made up for at the next boot",
  "Persistent=yes",
  "",
  "[Install]",
  "WantedBy=timers.target",
  ""
].join("\n")

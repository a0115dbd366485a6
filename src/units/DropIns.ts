/** Settings that not every host wants: files that change the service, by the name that `--drop-in` takes. */
export const dropIns = {
  "static-keys": {
    purpose: "access keys from a file, for hosts without a role",
    file: "10-static-keys.conf",
    lines: [
      "# Access keys from a file that only root may read, in the form of ~/.aws/credentials. %d needs systemd 251; from 247",
      "# on, write /run/credentials/ibsr-upload.service instead. Not for instance roles: a missing file fails the run (243).",
      "[Service]",
      "LoadCredential=aws-credentials:/etc/ibsr-export/aws-credentials",
      "Environment=AWS_SHARED_CREDENTIALS_FILE=%d/aws-credentials"
    ]
  },
  "root-only-snapshots": {
    purpose: "for snapshots that no group may read",
    file: "10-root-only-snapshots.conf",
    lines: [
      "# For snapshots that no group may read: the service may read every file, which is more than it should.",
      "[Service]",
      "CapabilityBoundingSet=CAP_DAC_READ_SEARCH",
      "AmbientCapabilities=CAP_DAC_READ_SEARCH",
      "SupplementaryGroups=",
      "# in a user namespace of its own the capability would not reach the host's files",
      "PrivateUsers=no"
    ]
  },
  "no-restart": {
    purpose: "for systemd before 244",
    file: "10-no-restart.conf",
    lines: [
      "# Before 244, systemd refuses a oneshot service that has Restart=. The next try is the timer's, an hour later, and",
      "# OnFailure= comes with the first failure.",
      "[Service]",
      "Restart=no"
    ]
  },
  metrics: {
    purpose: "a file for node_exporter",
    file: "10-metrics.conf",
    lines: [
      "# For node_exporter's textfile collector. Its folder must belong to a group of the service, and be writable by it.",
      "[Service]",
      "Environment=IBSR_EXPORT_METRICS_FILE=/var/lib/prometheus/node-exporter/ibsr-export.prom",
      "ReadWritePaths=-/var/lib/prometheus/node-exporter"
    ]
  }
} as const satisfies Readonly<
  Record<string, { readonly purpose: string; readonly file: string; readonly lines: ReadonlyArray<string> }>
>

export type Name = keyof typeof dropIns

export const names = Object.keys(dropIns) as ReadonlyArray<Name>

export const text = (name: Name): string => `${dropIns[name].lines.join("\n")}\n`

import type { Names } from "./Job.ts"

/** Files that change the service for some hosts, keyed by the value of `--drop-in`. */
export const dropIns = {
  "static-keys": {
    purpose: "access keys from a file, for hosts without a role",
    file: "10-static-keys.conf",
    lines: () => [
      "# Access keys from a file that only root may read, in the format of ~/.aws/credentials. Not for instance roles:",
      "# without the file, the unit fails (243). The path works with systemd 247 and newer; %d in its place needs 251.",
      "[Service]",
      "LoadCredential=aws-credentials:/etc/ibsr-export/aws-credentials",
      "Environment=AWS_SHARED_CREDENTIALS_FILE=/run/credentials/%n/aws-credentials"
    ]
  },
  "root-only-snapshots": {
    purpose: "for snapshots that no group may read",
    file: "10-root-only-snapshots.conf",
    lines: () => [
      "# For snapshots that no group may read. The service can read every file, which is more than it needs.",
      "[Service]",
      "CapabilityBoundingSet=CAP_DAC_READ_SEARCH",
      "AmbientCapabilities=CAP_DAC_READ_SEARCH",
      "SupplementaryGroups=",
      "# in a private user namespace, the capability would not apply to the host's files",
      "PrivateUsers=no"
    ]
  },
  "no-restart": {
    purpose: "for systemd before 244",
    file: "10-no-restart.conf",
    lines: () => [
      "# systemd before 244 refuses a oneshot service with Restart=. The timer makes the next attempt, an hour later, and the",
      "# first failure triggers OnFailure=.",
      "[Service]",
      "Restart=no"
    ]
  },
  metrics: {
    purpose: "metrics in a file for node_exporter",
    file: "10-metrics.conf",
    lines: ({ state }) => [
      "# For node_exporter's textfile collector. Its directory must belong to a group of the service, and be group-writable.",
      "[Service]",
      `Environment=IBSR_EXPORT_METRICS_FILE=/var/lib/prometheus/node-exporter/${state}.prom`,
      "ReadWritePaths=-/var/lib/prometheus/node-exporter"
    ]
  }
} as const satisfies Readonly<
  Record<
    string,
    { readonly purpose: string; readonly file: string; readonly lines: (names: Names) => ReadonlyArray<string> }
  >
>

export type Name = keyof typeof dropIns

export const names = Object.keys(dropIns) as ReadonlyArray<Name>

export const text = (name: Name, jobNames: Names): string => `${dropIns[name].lines(jobNames).join("\n")}\n`

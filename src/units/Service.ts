/** The service: one run, locked in. */
import { Duration } from "effect"
import * as ExitCode from "../domain/ExitCode.ts"
import { environmentFile, type Job } from "./Job.ts"
import * as Quoting from "./Quoting.ts"
import * as Retries from "./Retries.ts"

const MiB = 1024 ** 2

/** What systemd fails with before the program runs: no folder, program, group, user, namespace, state, credentials. */
const setUp = [200, 203, 216, 217, 226, 238, 243]

/** Codes after which another try soon is of no use. */
const permanent = [
  ...ExitCode.table.filter(({ code, retrySoon }) => code !== 0 && !retrySoon).map(({ code }) => code),
  ...setUp
]

export const text = (job: Job): string =>
  [
    ...unit(job),
    "",
    "[Service]",
    "Type=oneshot",
    ...command(job),
    "",
    ...ending(job),
    "",
    ...identity(job),
    "",
    ...files(job),
    "",
    ...privileges,
    "",
    ...neighbour(job),
    ""
  ].join("\n")

const unit = ({ settings }: Job) => {
  const attempts = Retries.attempts(settings)
  return [
    "# Made by `ibsr-export units`. Drop-ins in ibsr-upload.service.d change it, and outlive the next time.",
    "[Unit]",
    "Description=Upload IBSR snapshots",
    "Wants=network-online.target",
    "After=network-online.target",
    ...(attempts === 1
      ? []
      : [
          `# ${attempts} tries in a row, then OnFailure= once; the next hour begins anew`,
          `StartLimitIntervalSec=${span(Retries.window)}`,
          `StartLimitBurst=${attempts}`
        ]),
    "OnFailure=ibsr-alert@%n.service"
  ]
}

const command = ({ args, program }: Job) => [
  `ExecStart=${[Quoting.word(program), ...args.map(Quoting.argument)].join(args.length > 2 ? " \\\n  " : " ")}`,
  `EnvironmentFile=-${environmentFile}`,
  "# where the AWS configuration is looked for, below .aws",
  "Environment=HOME=%S/ibsr-export",
  "SyslogIdentifier=ibsr-export",
  "# the summary comes last, and must not be dropped for what --verbose said before",
  "LogRateLimitIntervalSec=0"
]

const ending = ({ settings }: Job) => [
  "# The program bounds its own hangs (--give-up-after). A day of snapshots over a slow line takes hours; what takes",
  "# longer than a day is not worth waiting for, because then they are rotated away.",
  "TimeoutStartSec=1d",
  "# longer than --grace, and the 12 s that counting what is left may take",
  `TimeoutStopSec=${span(Duration.sum(settings.grace, Duration.seconds(40)))}`,
  "KillMode=mixed",
  "# somebody stopped it, which is nothing to alert of; the signal itself comes before the program could take it",
  `SuccessExitStatus=${ExitCode.ofSignal.SIGTERM.code} SIGTERM`,
  ...(Retries.attempts(settings) === 1
    ? ["# a run that gives up takes so long that another try in the same hour has no room", "Restart=no"]
    : [
        "Restart=on-failure",
        `RestartSec=${span(Retries.pause)}`,
        "# another try soon is of no use after these; the last ones are systemd's own",
        `RestartPreventExitStatus=${permanent.join(" ")}`
      ])
]

const identity = ({ groups, user }: Job) => [
  ...(user === undefined ? ["DynamicUser=yes"] : [`User=${user}`]),
  ...(groups.length === 0 ? [] : ["# may read the snapshots", `SupplementaryGroups=${groups.join(" ")}`]),
  "StateDirectory=ibsr-export",
  "StateDirectoryMode=0700",
  "UMask=0077"
]

/** Homes are hidden unless a flag names a path there. */
const homes = (paths: ReadonlyArray<string>) =>
  paths.some((path) => /^\/(?:home|root|run\/user)(?:\/|$)/.test(path)) ? "read-only" : "yes"

const files = ({ paths, program, writes }: Job) => [
  "ProtectSystem=strict",
  `ProtectHome=${homes([program, ...paths, ...writes])}`,
  "PrivateTmp=yes",
  "PrivateMounts=yes",
  // without the dash, a folder that is missing would keep the run from starting; the program says what it lacks
  ...writes.map((path) => `ReadWritePaths=${Quoting.word(`-${path}`)}`),
  "# nothing else can be started; a credential_process needs its program in a drop-in's ExecPaths=",
  "NoExecPaths=/",
  `ExecPaths=${Quoting.word(program)} -/usr/lib -/usr/lib64 -/lib -/lib64`
]

const privileges = [
  "NoNewPrivileges=yes",
  "CapabilityBoundingSet=",
  "PrivateDevices=yes",
  "DevicePolicy=closed",
  "PrivateUsers=yes",
  "ProtectClock=yes",
  "ProtectControlGroups=yes",
  "ProtectHostname=yes",
  "ProtectKernelLogs=yes",
  "ProtectKernelModules=yes",
  "ProtectKernelTunables=yes",
  "ProtectProc=invisible",
  "ProcSubset=pid",
  "RestrictNamespaces=yes",
  "RestrictRealtime=yes",
  "RestrictSUIDSGID=yes",
  "LockPersonality=yes",
  "RemoveIPC=yes",
  "KeyringMode=private",
  "SystemCallArchitectures=native",
  "SystemCallFilter=@system-service",
  "SystemCallFilter=~@privileged @resources",
  "SystemCallErrorNumber=EPERM",
  "# names are resolved through the last",
  "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
  "# not MemoryDenyWriteExecute=, because JavaScript is compiled in memory; not IPAddressDeny=, because a store's",
  "# addresses change, and the credentials of an instance come from a link-local one"
]

/** Bytes besides those of --memory: 110 MiB and the program's own 70, and what V8 takes half of for its heap's limit. */
const base = 448 * MiB

/** Between what slows the program down and what kills it. */
const margin = 128 * MiB

const neighbour = ({ settings: { memoryBytes } }: Job) => {
  const most = Math.ceil((base + memoryBytes) / MiB)
  return [
    "# the collector comes first",
    "Nice=10",
    "CPUWeight=20",
    "IOWeight=20",
    "# not idle: on a busy disk that is never",
    "IOSchedulingClass=best-effort",
    "IOSchedulingPriority=7",
    "# --memory, and what Node takes; files that are read count, too, until the kernel drops them",
    `MemoryHigh=${most - margin / MiB}M`,
    `MemoryMax=${most}M`,
    "OOMScoreAdjust=500",
    "TasksMax=64",
    "# it would hold credentials",
    "LimitCORE=0"
  ]
}

/** As systemd writes it: `50min`, `62s`. */
const span = (duration: Duration.Duration) => {
  const seconds = Math.ceil(Duration.toSeconds(duration))
  return seconds % 60 === 0 ? `${seconds / 60}min` : `${seconds}s`
}

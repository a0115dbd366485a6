/** The service unit: one sandboxed run. */
import { Duration } from "effect"
import * as ExitCode from "../domain/ExitCode.ts"
import type { Job } from "./Job.ts"
import * as Quoting from "./Quoting.ts"
import * as Retries from "./Retries.ts"

const MiB = 1024 ** 2

/** systemd's exit codes for failures before the start: directory, program, group, user, namespace, state, credentials. */
const setupFailures = [200, 203, 216, 217, 226, 238, 243]

/** Exit codes after which a retry soon cannot help. */
const noRetry = [
  ...ExitCode.table.filter(({ code, retrySoon }) => code !== 0 && !retrySoon).map(({ code }) => code),
  ...setupFailures
]

export const text = (job: Job): string =>
  [
    ...unit(job),
    "",
    "[Service]",
    "Type=oneshot",
    ...command(job),
    "",
    ...stopping(job),
    "",
    ...identity(job),
    "",
    ...files(job),
    "",
    ...privileges,
    "",
    ...resources(job),
    ""
  ].join("\n")

const unit = ({ names, settings }: Job) => {
  const attempts = Retries.attempts(settings)
  return [
    `# Put changes into drop-ins in ${names.unit}.service.d.`,
    "[Unit]",
    "Description=Upload IBSR snapshots",
    "Wants=network-online.target",
    "After=network-online.target",
    ...(attempts === 1
      ? []
      : [
          `# after ${attempts} failed attempts, OnFailure= once; each hour starts a new count`,
          `StartLimitIntervalSec=${span(Retries.window)}`,
          `StartLimitBurst=${attempts}`
        ]),
    "OnFailure=ibsr-alert@%n.service"
  ]
}

const command = ({ args, names, program }: Job) => [
  `ExecStart=${[Quoting.word(program), ...args.map(Quoting.argument)].join(args.length > 2 ? " \\\n  " : " ")}`,
  `EnvironmentFile=-${names.environmentFile}`,
  "# the AWS configuration is in .aws below this directory",
  `Environment=HOME=%S/${names.state}`,
  "SyslogIdentifier=ibsr-export",
  "# the summary comes last, and must not be dropped because of a long --verbose log before it",
  "LogRateLimitIntervalSec=0"
]

const stopping = ({ settings }: Job) => [
  "# The program limits its own hangs (--give-up-after). A day of snapshots takes hours over a slow link. A run longer",
  "# than a day is useless, because by then the snapshots are rotated away.",
  "TimeoutStartSec=1d",
  "# longer than --grace plus the 12 s that counting the remaining files may take",
  `TimeoutStopSec=${span(Duration.sum(settings.grace, Duration.seconds(40)))}`,
  "KillMode=mixed",
  "# do not alert after a stopped run; SIGTERM: stopped before the program could handle the signal",
  `SuccessExitStatus=${ExitCode.ofSignal.SIGTERM.code} SIGTERM`,
  ...(Retries.attempts(settings) === 1
    ? ["# a run that gives up takes so long that a retry does not fit into the same hour", "Restart=no"]
    : [
        "Restart=on-failure",
        `RestartSec=${span(Retries.pause)}`,
        "# since version 254, systemd triggers OnFailure= before each restart without this; older versions ignore it",
        "RestartMode=direct",
        "# a retry soon cannot help after these; the codes from 200 on are systemd's own",
        `RestartPreventExitStatus=${noRetry.join(" ")}`,
        "# only failures count towards the limit: the end of any other run resets the count; + is root, outside the sandbox",
        `ExecStopPost=-+/bin/sh -c 'test "$$SERVICE_RESULT" != success || exec /bin/systemctl reset-failed %n'`
      ])
]

const identity = ({ groups, names, user }: Job) => [
  ...(user === undefined ? ["DynamicUser=yes"] : [`User=${user}`]),
  ...(groups.length === 0 ? [] : ["# can read the snapshots", `SupplementaryGroups=${groups.join(" ")}`]),
  `StateDirectory=${names.state}`,
  "StateDirectoryMode=0700",
  "UMask=0077"
]

/** Hides home directories, unless one of the paths is in a home directory. */
const homes = (paths: ReadonlyArray<string>) =>
  paths.some((path) => /^\/(?:home|root|run\/user)(?:\/|$)/.test(path)) ? "read-only" : "yes"

const files = ({ paths, program, writes }: Job) => [
  "ProtectSystem=strict",
  `ProtectHome=${homes([program, ...paths, ...writes])}`,
  "PrivateTmp=yes",
  "PrivateMounts=yes",
  // the dash lets the program start without the directory and report that it is missing
  ...writes.map((path) => `ReadWritePaths=${Quoting.word(`-${path}`)}`),
  "# no other program can start; for credential_process, add its program to ExecPaths= in a drop-in",
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
  "# AF_UNIX is for name resolution",
  "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
  "# not MemoryDenyWriteExecute=, because JavaScript is compiled in memory; not IPAddressDeny=, because a store's",
  "# addresses change, and an instance's credentials come from a link-local address"
]

/**
 * The memory limit in addition to --memory. The program needs 180 MiB of it, and V8 limits its heap to half of the
 * whole limit.
 */
const base = 448 * MiB

/**
 * The difference between `MemoryMax=`, at which the program is killed, and `MemoryHigh=`, at which it is slowed down.
 */
const margin = 128 * MiB

const resources = ({ settings: { memoryBytes } }: Job) => {
  const maxMiB = Math.ceil((base + memoryBytes) / MiB)
  return [
    "# the collector has priority",
    "Nice=10",
    "CPUWeight=20",
    "IOWeight=20",
    "# not idle, because idle I/O would never run on a busy disk",
    "IOSchedulingClass=best-effort",
    "IOSchedulingPriority=7",
    "# --memory plus Node's own memory; the page cache of files that it reads counts, too, until the kernel drops it",
    `MemoryHigh=${maxMiB - margin / MiB}M`,
    `MemoryMax=${maxMiB}M`,
    "OOMScoreAdjust=500",
    "TasksMax=64",
    "# a core dump would contain credentials",
    "LimitCORE=0"
  ]
}

/** Formats a duration for systemd: `50min`, `62s`. */
const span = (duration: Duration.Duration) => {
  const seconds = Math.ceil(Duration.toSeconds(duration))
  return seconds % 60 === 0 ? `${seconds / 60}min` : `${seconds}s`
}

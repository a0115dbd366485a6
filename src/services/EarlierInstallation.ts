/**
 * Finds what an earlier installation left on this host: files that take precedence over those of the package, and other
 * units and crontabs that also start an upload.
 */
import { Effect } from "effect"
import { promises as fs } from "node:fs"
import { basename, dirname, join } from "node:path"
import type { Env } from "../domain/Env.ts"
import { escapeControls } from "../report/Text.ts"
import type { Job } from "../units/Job.ts"
import * as Marker from "../units/Marker.ts"

/** The folders of units, in order of precedence. Source: systemd.unit(5), "Unit File Search Path". */
const unitFolders = ["/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system"]
/** The folders in which packages install units. With a merged /usr, both are the same folder. */
const packageFolders = ["/usr/lib/systemd/system", "/lib/systemd/system"]

/** The folder that has a link to each enabled timer. */
const enabledTimers = "/etc/systemd/system/timers.target.wants"

const systemCrontabs = ["/etc/cron.d", "/etc/cron.hourly", "/etc/cron.daily"]
const userCrontabs = "/var/spool/cron/crontabs"

/**
 * Whether cron reads the file: it ignores copies such as `job.dpkg-old`. Source: cron(8) and run-parts(8) of Debian.
 */
const isReadByCron = (path: string) => /^[\w-]+$/.test(basename(path))

const fileName = "ibsr-export"

export interface Options {
  readonly job: Pick<Job, "names" | "program">
  readonly env: Env
  /** Files that belong to the job. */
  readonly own: ReadonlyArray<string>
  /** The root of the file system; tests use another one. */
  readonly root?: string
}

/** Returns a sentence for each finding. Ignores files and folders that cannot be read. */
export const warnings = ({ env, job, own, root = "/" }: Options): Effect.Effect<ReadonlyArray<string>> =>
  Effect.promise(async () => {
    const exists = (path: string) =>
      fs.lstat(join(root, path)).then(
        () => true,
        () => false
      )
    const present = async (paths: ReadonlyArray<string>) => {
      const found = await Promise.all(paths.map(exists))
      return paths.filter((_, at) => found[at])
    }
    const list = (folder: string) =>
      fs.readdir(join(root, folder)).then(
        (names) => names.toSorted().map((name) => `${folder}/${name}`),
        () => []
      )
    const read = (path: string) =>
      fs.readFile(join(root, path), "utf8").then(
        (text) => text,
        () => ""
      )
    /** The files that start an upload, except those that `units` made for other jobs. */
    const starting = async (paths: ReadonlyArray<string>, line: RegExp) => {
      const texts = await Promise.all(paths.map(read))
      return paths.filter((path, at) => {
        const isOtherJob = Marker.isMarked(texts[at]!) && basename(path) !== job.names.unit
        return !own.includes(path) && line.test(texts[at]!) && !isOtherJob
      })
    }
    const below = async (folders: ReadonlyArray<string>) => (await Promise.all(folders.map(list))).flat()

    const unitNames = [`${job.names.unit}.service`, `${job.names.unit}.timer`, "ibsr-alert@.service"]
    const shadowed = await Promise.all(
      unitNames.map(async (name) => {
        const [packaged] = await present(packageFolders.map((folder) => `${folder}/${name}`))
        const before = await present(unitFolders.map((folder) => `${folder}/${name}`))
        return packaged === undefined ? [] : before.map((path) => precedence(path, packaged))
      })
    )
    const services = (await below(unitFolders)).filter(
      (path) => path.endsWith(".service") && !unitNames.includes(basename(path))
    )
    const crontabs = [
      "/etc/crontab",
      ...(await below(systemCrontabs)).filter(isReadByCron),
      ...(await list(userCrontabs))
    ]
    const timer = `${job.names.unit}.timer`
    const isCronJob = !own.some((path) => basename(path) === timer)
    const enabled = isCronJob ? await present([`${enabledTimers}/${timer}`]) : []
    return [
      ...shadowed.flat(),
      ...(await present(earlierInPath(job.program, env))).map((path) => earlierProgram(path, job.program)),
      ...(await starting(services, unitLine)).map((path) => otherTimer(path, `${basename(path, ".service")}.timer`)),
      ...enabled.map((path) => otherTimer(path, timer)),
      ...(await starting(crontabs, cronLine)).map(otherCrontab)
    ].map(escapeControls)
  })

/** Matches a line that starts an upload and is not a comment. */
const unitLine = /^\s*ExecStart=.*\/ibsr-export(?![\w.-])/m
const cronLine = /^(?!\s*#).*\bibsr-export["']?\s+s3\b/m

/** Returns other files with the program's name that a shell, or a unit without a path, would start instead. */
const earlierInPath = (program: string, env: Env): ReadonlyArray<string> => {
  const folders = (env["PATH"] ?? "").split(":").filter((folder) => folder.startsWith("/"))
  const at = folders.indexOf(dirname(program))
  return at < 0 || basename(program) !== fileName ? [] : folders.slice(0, at).map((folder) => join(folder, fileName))
}

const precedence = (path: string, packaged: string) =>
  `${path} takes precedence over ${packaged}; to use the packaged unit, remove this file and run systemctl daemon-reload`

const earlierProgram = (path: string, program: string) =>
  `${path} comes before ${program} in PATH, so a shell starts another program than the units do; remove it if it is an older version`

const otherTimer = (path: string, timer: string) =>
  `${path} starts ibsr-export, too; run systemctl disable --now ${timer}, or everything is uploaded twice`

const otherCrontab = (path: string) =>
  `${path} starts ibsr-export, too; remove that line, or everything is uploaded twice`

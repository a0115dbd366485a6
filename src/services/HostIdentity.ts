/** Finds the names of this host, and inserts them into prefixes. */
import { Effect, Either } from "effect"
import { readFileSync } from "node:fs"
import os from "node:os"
import type { Env } from "../domain/Env.ts"
import { ConfigError } from "../domain/Errors.ts"
import type { KeyPrefix, PrefixTemplate } from "../domain/ObjectKey.ts"
import * as Placeholder from "../domain/Placeholder.ts"

export const hostname = (): string => os.hostname()

/** The machine id; undefined if the host has none. Source: machine-id(5). */
export const machineId = (): string | undefined => {
  try {
    return /^[0-9a-f]{32}$/.exec(readFileSync("/etc/machine-id", "utf8").trim())?.[0]
  } catch {
    return undefined
  }
}

/** Replaces the placeholders of a prefix. Only `{instance-id}` sends a request. */
export const resolvePrefix = (template: PrefixTemplate, env: Env): Effect.Effect<KeyPrefix, ConfigError> =>
  Effect.gen(function* () {
    const values: Partial<Record<Placeholder.Name, string>> = {}
    for (const name of Placeholder.usedIn(template)) values[name] = yield* valueOf[name](env)
    return yield* Either.mapLeft(
      Placeholder.fill(template, values),
      (expected) =>
        new ConfigError({
          detail: `--prefix ${template}: the names of this host do not make ${expected}`,
          advice: "give --prefix a name of your choice, such as ibsr/host-17/snapshots"
        })
    )
  })

const valueOf: Readonly<Record<Placeholder.Name, (env: Env) => Effect.Effect<string, ConfigError>>> = {
  hostname: () =>
    Placeholder.isOwnHostname(hostname())
      ? Effect.succeed(hostname())
      : Effect.fail(
          new ConfigError({
            detail: `the host's name is '${hostname()}', which other hosts have too: they would overwrite each other's files`,
            advice:
              "name the host (hostnamectl set-hostname NAME), or give --prefix, for example ibsr/host-17/snapshots or ibsr/{machine-id}/snapshots"
          })
        ),
  "machine-id": () =>
    Effect.mapError(
      Effect.fromNullable(machineId()),
      () =>
        new ConfigError({
          detail: "{machine-id} in --prefix: /etc/machine-id does not contain 32 hexadecimal digits",
          advice: "run systemd-machine-id-setup, or give --prefix another name of the host"
        })
    ),
  "instance-id": (env) =>
    // loaded on first use, because few prefixes need it
    Effect.promise(() => import("./HostIdentity/InstanceMetadata.ts")).pipe(
      Effect.flatMap((metadata) => metadata.get("instance-id", env)),
      Effect.filterOrFail(
        (id) => /^[\w-]{1,64}$/.test(id),
        () => new Error("its answer is not the id of an instance")
      ),
      Effect.mapError(
        (cause) =>
          new ConfigError({
            detail: `{instance-id} in --prefix: the instance metadata service (IMDSv2) gave none: ${cause.message}`,
            advice:
              "use {hostname} or {machine-id} on a host outside EC2; in a container, set the instance's hop limit to 2",
            cause
          })
      )
    )
}

/** The completion script for fish, to be installed as ibsr-export.fish. */
import type { Flag } from "../flags/Flag.ts"
import * as Manual from "./Manual.ts"

const quoted = (text: string) => `'${text.replaceAll(/[\\']/g, (character) => `\\${character}`)}'`

const value = (flag: Flag<unknown>) => {
  if (flag.value === undefined) return ""
  if (flag.suggestions === "directory") return " -x -a '(__fish_complete_directories)'"
  if (flag.suggestions === "file") return " -r -F"
  return flag.suggestions === undefined ? " -x" : ` -x -a ${quoted(flag.suggestions.join(" "))}`
}

const lines = () =>
  Object.entries(Manual.flags).flatMap(([command, all]) =>
    all.map(
      (flag) =>
        `complete -c ibsr-export -n '__fish_seen_subcommand_from ${command}' ${flag.short === undefined ? "" : `-s ${flag.short} `}-l ${flag.name}${value(flag)} -d ${quoted(flag.description)}`
    )
  )

export const script = (): string => `# Completion for fish, printed by "ibsr-export completion fish".
complete -c ibsr-export -f
${Object.entries(Manual.words)
  .map(([name, meaning]) => `complete -c ibsr-export -n __fish_use_subcommand -a ${name} -d ${quoted(meaning)}`)
  .join("\n")}
complete -c ibsr-export -n __fish_use_subcommand -l version
complete -c ibsr-export -l help
complete -c ibsr-export -n '__fish_seen_subcommand_from completion' -a ${quoted(Manual.shells.join(" "))}
${lines().join("\n")}
`

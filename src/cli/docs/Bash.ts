/** The completion script for bash 4.4 and later, with or without the package bash-completion. */
import type { Flag } from "../flags/Flag.ts"
import * as Manual from "./Manual.ts"

const action = ({ suggestions }: Flag<unknown>) => {
  const compgen = (what: string) => `mapfile -t COMPREPLY < <(compgen ${what} -- "$word")`
  if (suggestions === "directory") return `compopt -o filenames; ${compgen("-d")}`
  if (suggestions === "file") return `compopt -o filenames; ${compgen("-f")}`
  // no completions for a value that is not known in advance
  return suggestions === undefined ? ":" : compgen(`-W "${suggestions.join(" ")}"`)
}

/** The cases that complete the value of a flag. Flags with the same completion share a line. */
const values = () => {
  const flags = Object.entries(Manual.flags).flatMap(([command, all]) =>
    all.filter(({ value }) => value !== undefined).map((flag) => ({ words: `${command} --${flag.name}`, flag }))
  )
  return [...Map.groupBy(flags, ({ flag }) => action(flag))].map(
    ([completion, members]) => `    ${members.map(({ words }) => `"${words}"`).join(" | ")}) ${completion} ;;`
  )
}

const names = () =>
  Object.entries(Manual.flags).map(
    ([command, all]) => `    ${command}) words="${all.map(({ name }) => `--${name}`).join(" ")} --help" ;;`
  )

export const script = (): string => `# Completion for bash, printed by "ibsr-export completion bash".
_ibsr_export() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} command=\${COMP_WORDS[1]} words=
  COMPREPLY=()
  # bash splits "--flag=value" at the "="
  if [[ $word == = ]]; then word= ; elif [[ $before == = ]]; then before=\${COMP_WORDS[COMP_CWORD-2]}; fi
  if ((COMP_CWORD == 1)); then
    mapfile -t COMPREPLY < <(compgen -W "${Object.keys(Manual.words).join(" ")} --help --version" -- "$word")
    return
  fi
  case "$command $before" in
${values().join("\n")}
    "completion completion") mapfile -t COMPREPLY < <(compgen -W "${Manual.shells.join(" ")}" -- "$word") ;;
    *)
      case $command in
${names()
  .map((line) => `    ${line}`)
  .join("\n")}
      esac
      mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
      ;;
  esac
}
complete -F _ibsr_export ibsr-export
`

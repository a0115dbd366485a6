/** The completion script for zsh, to be installed in a directory of $fpath as _ibsr-export. */
import type { Flag } from "../flags/Flag.ts"
import * as Manual from "./Manual.ts"

/** Quotes a text as one word of the shell. */
const quoted = (text: string) => `'${text.replaceAll("'", String.raw`'\''`)}'`

/** Escapes the characters that are special to `_arguments`. */
const escaped = (text: string) => text.replaceAll(/[\\:[\]]/g, (character) => `\\${character}`)

const action = ({ suggestions }: Flag<unknown>) => {
  if (suggestions === "directory") return "_files -/"
  if (suggestions === "file") return "_files"
  return suggestions === undefined ? " " : `(${suggestions.join(" ")})`
}

const specification = (flag: Flag<unknown>) =>
  quoted(
    `${flag.repeated ? "*" : ""}--${flag.name}${flag.value === undefined ? "" : "="}[${escaped(flag.description)}]` +
      (flag.value === undefined ? "" : `:${escaped(flag.value)}:${action(flag)}`)
  )

const cases = () =>
  Object.entries(Manual.flags).map(([command, all]) =>
    [
      `    ${command})`,
      `      _arguments \\`,
      ...all.map((flag) => `        ${specification(flag)} \\`),
      "        '--help[all flags]'",
      "      ;;"
    ].join("\n")
  )

export const script = (): string => `#compdef ibsr-export
# Completion for zsh, printed by "ibsr-export completion zsh".
_ibsr_export() {
  local -a commands
  commands=(
${Object.entries(Manual.words)
  .map(([name, meaning]) => `    ${quoted(`${name}:${meaning.replaceAll(":", "\\:")}`)}`)
  .join("\n")}
  )
  if ((CURRENT == 2)); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  ((CURRENT--))
  case $command in
${cases().join("\n")}
    completion)
      _values shell ${Manual.shells.join(" ")}
      ;;
  esac
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _ibsr_export "$@"; else compdef _ibsr_export ibsr-export; fi
`

/** What is printed for other programs to read. */
import * as Bash from "./Bash.ts"
import * as Fish from "./Fish.ts"
import * as Zsh from "./Zsh.ts"
import type { Text } from "./Manual.ts"
import * as ManPage from "./ManPage.ts"

export const texts: Readonly<Record<Text, () => string>> = {
  man: ManPage.page,
  "completion bash": Bash.script,
  "completion zsh": Zsh.script,
  "completion fish": Fish.script
}

/** The package, installed in a box as an administrator does it. */
import { copyFileSync } from "node:fs"
import { arch } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Box } from "../../fixtures/systemd/Box.ts"

const dist = fileURLToPath(new URL("../../../dist", import.meta.url))

export const install = async (box: Box): Promise<void> => {
  copyFileSync(join(dist, `ibsr-export-${arch() === "x64" ? "x86_64" : arch()}`), join(box.root, "usr/bin/ibsr-export"))
  const { code, stderr } = await box.exec(
    "sh",
    "-ec",
    `groupadd --system ibsr
     useradd --system --user-group --home-dir /nonexistent --shell /usr/sbin/nologin ibsr-export
     ibsr-export units --user=ibsr-export --group=ibsr --to=/usr/lib/systemd/system
     mkdir /etc/ibsr-export
     systemctl daemon-reload`
  )
  if (code !== 0) throw new Error(stderr)
}

/** The package, installed in a box as an administrator does it. */
import { join } from "node:path"
import { makeDeb } from "../../fixtures/Deb.ts"
import type { SystemdContainer } from "../../fixtures/systemd/SystemdContainer.ts"

/** Where the package lies in a box. */
export const deb = "/root/ibsr-export.deb"

export const install = async (box: SystemdContainer): Promise<void> => {
  makeDeb(join(box.root, deb))
  const { code, stderr } = await box.exec("dpkg", "--install", deb)
  if (code !== 0) throw new Error(stderr)
}

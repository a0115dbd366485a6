/** Installs the package in a container, as an administrator does. */
import { join } from "node:path"
import { makeDeb } from "../../fixtures/Deb.ts"
import type { SystemdContainer } from "../../fixtures/systemd/SystemdContainer.ts"

/** The path of the package in the container. */
export const debPath = "/root/ibsr-export.deb"

export const installPackage = async (container: SystemdContainer): Promise<void> => {
  makeDeb(join(container.root, debPath))
  const { code, stderr } = await container.exec("dpkg", "--install", debPath)
  if (code !== 0) throw new Error(stderr)
}

/** The bytes of a request that the system has accepted and the other side has not acknowledged. */
import { readFileSync } from "node:fs"
import type { Socket } from "node:net"

/**
 * Returns the number of these bytes; undefined if the system does not report it. The system accepts megabytes at once,
 * which take half a minute on a slow line. The call takes milliseconds, because the system lists all connections.
 * Source: proc_net_tcp(5).
 */
export const unacknowledged = ({ localPort, remoteFamily, remotePort }: Socket): number | undefined => {
  if (localPort === undefined || remotePort === undefined) return undefined
  const hex = (port: number) => port.toString(16).toUpperCase().padStart(4, "0")
  const line = new RegExp(`:${hex(localPort)} [\\dA-F]+:${hex(remotePort)} [\\dA-F]{2} ([\\dA-F]{8}):`)
  try {
    const [, bytes] = line.exec(readFileSync(`/proc/self/net/tcp${remoteFamily === "IPv6" ? "6" : ""}`, "latin1")) ?? []
    return bytes === undefined ? undefined : Number.parseInt(bytes, 16)
  } catch {
    return undefined
  }
}

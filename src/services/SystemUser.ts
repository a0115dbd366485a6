/** The users of this host. */
import { codeOf } from "./SystemError.ts"

/**
 * Whether the host knows the user. Like cron, it asks every source in /etc/nsswitch.conf: files, LDAP, SSSD and so on.
 * Node calls getpwnam(3) only in `seteuid`, so root becomes the user for a moment. For any other caller, `seteuid`
 * fails, but with a different error if there is no such user.
 */
export const exists = (name: string): boolean => {
  const { geteuid, seteuid } = process
  if (geteuid === undefined || seteuid === undefined) return true
  const self = geteuid()
  try {
    seteuid(name)
    seteuid(self)
    return true
  } catch (cause) {
    return codeOf(cause) !== "ERR_UNKNOWN_CREDENTIAL"
  }
}

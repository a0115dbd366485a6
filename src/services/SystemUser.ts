/** The users of this host. */
import { codeOf } from "./SystemError.ts"

/**
 * Whether the host knows the user, from any source in /etc/nsswitch.conf: files, LDAP, SSSD and so on, as cron will ask
 * them. Node looks a name up, with getpwnam(3), only to become that user. So root becomes the user, and at once root
 * again; anybody else is refused, but with another error if there is no such user.
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

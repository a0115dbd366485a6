/** What each exit code means, how to find the cause, and what to do: the pages of `ibsr-export explain`. */
import { Either } from "effect"
import { type ExportError, UsageError } from "../../domain/Errors.ts"
import * as ExitCode from "../../domain/ExitCode.ts"
import { wrap } from "./Help.ts"

interface Explanation {
  readonly cause: string
  /** How to find out more. */
  readonly check: string
  readonly remedy: string
}

const explanations: Readonly<Record<ExportError["_tag"], Explanation>> = {
  UploadFailed: {
    cause: "The store refused a request with a code that no other class covers.",
    check: "The report has the store's code, its message and the id of the request.",
    remedy: "Look up the code in the store's documentation. A flag such as --sse, --tag, --acl or --storage-class that the store does not support is a frequent cause."
  },
  ObjectExists: {
    cause: "The object exists, and --no-overwrite or --on-replace fail forbids replacing it.",
    check: "The report names the key. The bucket's owner can see who wrote it, and when.",
    remedy: "Give this host a --prefix of its own, or remove the flag."
  },
  CredentialsMissing: {
    cause: "No source of the AWS chain has credentials, or the first one that is set up is incomplete.",
    check: "The message says what is missing from each source. Compare the environment of the service with that of your shell.",
    remedy: "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a --profile, or give the host a role."
  },
  CredentialsRejected: {
    cause: "The store does not accept the key, its secret or its session token; or the host's clock is wrong.",
    check: "The code says which: InvalidAccessKeyId, SignatureDoesNotMatch, ExpiredToken, RequestTimeTooSkewed.",
    remedy: "Replace the credentials, renew the session, or correct the clock."
  },
  AccessDenied: {
    cause: "The store knows the key, but does not allow the request. Some stores give the same response for a missing bucket or a wrong secret.",
    check: "Compare --bucket and --prefix with the policy of this key.",
    remedy: "Allow s3:PutObject on the prefix. --acl, --tag and --sse kms need more permissions."
  },
  BucketUnusable: {
    cause: "There is no such bucket, it is in another region, or its name is invalid.",
    check: "The message has the store's code, and often the right region.",
    remedy: "Correct --bucket, --region or --endpoint."
  },
  NetworkFailure: {
    cause: "The store was not reached, or it did not respond in time: DNS, a refused or reset connection, a firewall, a proxy, or a page that is not the store's.",
    check: "Try curl -v with the endpoint, as the user that runs the service and with the same proxy variables.",
    remedy: "Repair the path to the store. The next run sends what is missing."
  },
  TlsFailure: {
    cause: "The store's certificate or TLS version is not acceptable.",
    check: "The message has OpenSSL's reason. openssl s_client -connect HOST:PORT shows the certificate.",
    remedy: "Correct the endpoint or its certificate. For a private authority, set AWS_CA_BUNDLE."
  },
  StoreUnavailable: {
    cause: "The store was overloaded or failed, even after all retries.",
    check: "The status page or the log of the store.",
    remedy: "The next run sends what is missing. If it happens often, lower --concurrency."
  },
  DeadlineExceeded: {
    cause: "The run took longer than --deadline.",
    check: "The report says how many files are left.",
    remedy: "Raise --deadline, or start runs more often. The next run continues."
  },
  IntegrityFailure: {
    cause: "The store's checksum differs from the checksum of the bytes that were sent, even after a retry.",
    check: "Test the host's memory. Try without the proxy.",
    remedy: "Replace the component that changes the bytes. The store did not accept the object, or the next run sends it again."
  },
  SourceUnreadable: {
    cause: "A file cannot be read, has no valid key, or was deleted by the collector before it was stored.",
    check: "The report names the files, and the reason for each.",
    remedy: "Let the user of the service read them. If files were lost, run more often, or raise the collector's --max-age."
  },
  NothingSelected: {
    cause: "No file was selected, and --fail-if-empty was given.",
    check: "List the directory. --dry-run shows what is selected.",
    remedy: "Correct --input, --include or --exclude, or start the collector."
  },
  Stale: {
    cause: "--stale-after was given, and no selected file has changed for that long. Everything was uploaded.",
    check: "Look at the collector's service and log, and at the newest file: ibsr-export status shows it.",
    remedy: "Start the collector, or correct --input or --include. If it writes less often, raise --stale-after."
  },
  Incomplete: {
    cause: "verify found that lines or objects are missing, that their end has not arrived yet, or that no manifest proves the opposite.",
    check: "The lines before the last one name each object, directory and hole.",
    remedy: "Copy the directory again after the next run on the host. Upload with --manifest. docs/verify.md describes each finding."
  },
  Corrupt: {
    cause: "verify found an object whose content is not the one that its manifest describes, or that cannot be decompressed.",
    check: "Copy the object again and repeat verify; compare its ETag and version with those in upload-manifest.json.",
    remedy: "Restore an older version of the object, or send the file again with --force while the host still has it."
  },
  Locked: {
    cause: "Another run is using the same ledger.",
    check: "systemctl status ibsr-upload; pgrep -a ibsr-export.",
    remedy: "Wait for it, or set --lock-wait. Jobs for different targets can have a --state-dir each."
  },
  StateUnusable: {
    cause: "The ledger cannot be read or written: permission, a full disk, a read-only or remote file system.",
    check: "df and ls -ld for the state directory, as the user of the service.",
    remedy: "Make room, or set --state-dir to a local directory that the user may write to. Stored objects are not affected."
  },
  InputUnusable: {
    cause: "--input is missing, is not a directory, or cannot be read.",
    check: "ls -ld for the directory and those above it, as the user of the service.",
    remedy: "Correct --input, or give the user the right to read it, for example by --group of units."
  },
  UsageError: {
    cause: "A flag or a variable has a wrong value, is unknown, or is missing.",
    check: "The message names all of them.",
    remedy: "See ibsr-export s3 --help. In the packaged service, the variables are in /etc/ibsr-export/export.env."
  },
  ConfigError: {
    cause: "Each value is valid, but the values cannot work together: for example no region, an unknown profile, a bad endpoint or proxy.",
    check: "The message names the setting and where its value comes from.",
    remedy: "Correct that setting."
  },
  InternalError: {
    cause: "A defect in ibsr-export.",
    check: "The message has a stack trace.",
    remedy: "Please report it with this message. Stored objects are not affected, and the next run continues."
  }
}

const others: Readonly<Record<string, Explanation>> = {
  ok: {
    cause: "All selected files are stored, or none was selected.",
    check: "ibsr-export status shows what is stored.",
    remedy: "There is nothing to do."
  },
  mixed: {
    cause: "Files failed in different ways.",
    check: "The last line names the two most frequent classes; the report lists all.",
    remedy: "Run ibsr-export explain with the code of each class."
  },
  interrupted: {
    cause: "A signal stopped the run: a shutdown, systemctl stop, or Ctrl-C.",
    check: "The journal says who stopped the service.",
    remedy: "There is nothing to do: the next run continues, and resumes unfinished uploads."
  }
}

const byName: Readonly<Record<string, Explanation>> = {
  ...others,
  ...Object.fromEntries(
    Object.entries(explanations).map(([tag, text]) => [ExitCode.ofError[tag as ExportError["_tag"]].name, text])
  )
}

/** `subject`: an exit code or its name. */
export const page = (subject: string): Either.Either<string, UsageError> => {
  const row = ExitCode.table.find(({ code, name }) => String(code) === subject || name === subject)
  const text = row && byName[row.name]
  if (row === undefined || text === undefined) {
    const codes = ExitCode.table.map(({ code }) => code).join(", ")
    return Either.left(new UsageError({ problems: [`explain: '${subject}' is none of the exit codes ${codes}`] }))
  }
  const section = (heading: string, content: string) => ["", heading, wrap(content, "  ")]
  return Either.right(
    [
      `exit ${row.code} ${row.name}: ${row.meaning}`,
      ...section("CAUSE", text.cause),
      ...section("HOW TO FIND OUT", text.check),
      ...section("WHAT TO DO", text.remedy),
      ...section("RETRY", row.retrySoon ? "Starting it again soon can help." : "Starting it again soon does not help.")
    ].join("\n")
  )
}

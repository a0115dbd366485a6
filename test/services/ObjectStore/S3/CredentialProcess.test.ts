import { describe, expect, it } from "@effect/vitest"
import { withoutSecrets } from "../../../../src/services/ObjectStore/S3/CredentialProcess.ts"

const source = `{"SecretAccessKey":"pr0c3ss-s3cr3t","SessionToken":"t0k3n/+="} /opt/helper --login hunter22 --host vault.example`

describe("CredentialProcess.withoutSecrets", () => {
  it.each([
    ["no ticket for pr0c3ss-s3cr3t", "no ticket for …"],
    ["wrong login: hunter22", "wrong login: …"],
    ["GET https://me:pass@vault/v1 failed", "GET https://…@vault/v1 failed"],
    ["password=abc rejected", "password=… rejected"],
    [`"apiKey": "xyz" is wrong`, `"apiKey": … is wrong`],
    ["sent Bearer abc.def", "sent Bearer …"],
    ["got wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "got …"],
    ["/opt/helper: line 3: vault: not found", "/opt/helper: line 3: vault: not found"],
    ["the token has expired, log in again", "the token has expired, log in again"]
  ])("turns %j into %j", (line, expected) => {
    expect(withoutSecrets(line, source)).toBe(expected)
  })
})

import { S3Client } from "@aws-sdk/client-s3"
import { describe, expect, it } from "@effect/vitest"
import * as StoreClock from "../../../../src/services/ObjectStore/S3/StoreClock.ts"

const hour = 3_600_000
const inHours = (hours: number) => Date.now() + hours * hour
const hoursOf = (millis: number) => Math.round(millis / hour)

describe("the store's clock", () => {
  it("ignores the time of responses that do not refuse the signature", () => {
    const clock = StoreClock.make()
    clock.observe({ date: new Date(inHours(2)).toUTCString() })
    expect(clock.correction()).toBe(0)
    expect(hoursOf(clock.observed())).toBe(2)
  })

  it("does not observe the time of a response from a cache", () => {
    const clock = StoreClock.make()
    clock.observe({ date: new Date(inHours(2)).toUTCString(), age: "7200" })
    expect(clock.observed()).toBe(0)
  })

  it("adopts the time of a refusal", () => {
    const clock = StoreClock.make()
    expect(clock.refuse(0, inHours(-3))).toBe(true)
    expect(hoursOf(clock.correction())).toBe(-3)
  })

  it("allows another attempt if another request has corrected the time in the meantime", () => {
    const clock = StoreClock.make()
    clock.refuse(0, inHours(1))
    const adopted = clock.correction()
    expect(clock.refuse(0, inHours(1))).toBe(true)
    expect(clock.correction()).toBe(adopted)
  })

  it("drops a correction that the store refuses before it has accepted one signature with it", () => {
    const clock = StoreClock.make()
    clock.refuse(0, inHours(1))
    expect(clock.refuse(clock.correction(), inHours(1))).toBe(false)
    expect(clock.correction()).toBe(0)
    expect(clock.refuse(0, inHours(1))).toBe(false)
  })

  it("follows the host's clock when it is set in the middle of a run", () => {
    const clock = StoreClock.make()
    clock.refuse(0, inHours(1))
    clock.accept(clock.correction())
    expect(clock.refuse(clock.correction(), inHours(0))).toBe(true)
    expect(hoursOf(clock.correction())).toBe(0)
  })

  it.each([undefined, "yesterday", "Fri, 31 Dec 9999999 23:59:59 GMT", "Sat, 01 Jan 10000 00:00:00 GMT", "-1 BC"])(
    "does not adopt a time that a signature cannot contain: %s",
    (text) => {
      const clock = StoreClock.make()
      expect(clock.refuse(0, StoreClock.timeOf(text))).toBe(false)
      expect(clock.correction()).toBe(0)
    }
  )

  it("is the only clock of the SDK's client", async () => {
    const clock = StoreClock.make()
    const client = new S3Client({ region: "us-east-1" })
    StoreClock.use(client, clock)
    client.config.systemClockOffset = 7
    expect(client.config.systemClockOffset).toBe(0)
    clock.refuse(0, inHours(1))
    expect(hoursOf(client.config.systemClockOffset)).toBe(1)
    client.destroy()
  })
})

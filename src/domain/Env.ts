/** Environment variables by name, as `process.env` has them; read once, in the process, and passed on. */
export type Env = Readonly<Record<string, string | undefined>>

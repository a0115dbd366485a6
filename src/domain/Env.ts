/** Environment variables by name, as in `process.env`. `main.ts` reads them once and passes them on. */
export type Env = Readonly<Record<string, string | undefined>>

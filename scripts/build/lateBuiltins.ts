/**
 * Node's own modules, each required when something of it is first used. A bundler puts all requires at the top, where
 * `http`, `https`, `crypto` and `child_process` cost a start that needs none of them 10 ms.
 */
import { builtinModules, createRequire } from "node:module"
import type { Plugin } from "rolldown"

const require = createRequire(import.meta.url)
const virtual = "\0builtin:"

/** Modules that are there from the start, or that are not a plain object with named members. */
const isEager = (name: string) =>
  name === "process" || name === "async_hooks" || typeof require(`node:${name}`) === "function"

const late = (name: string) => {
  const accessors = Object.keys(require(`node:${name}`) as object)
    .toSorted()
    // some are there to be replaced, such as the agents of `http`
    .map((member) => `get ${member}() { return load().${member} }, set ${member}(value) { load().${member} = value }`)
  // kept, because asking `require` again takes as long as a small system call
  return `let loaded\nconst load = () => (loaded ??= require("node:${name}"))\nmodule.exports = {${accessors.join(",\n")}}`
}

export const lateBuiltins: Plugin = {
  name: "late-builtins",
  resolveId: {
    order: "pre",
    handler: (id, importer) => {
      const name = id.replace(/^node:/, "")
      if (!id.startsWith("node:") && !builtinModules.includes(name)) return null
      return importer?.startsWith(virtual) || isEager(name)
        ? { id: `node:${name}`, external: true }
        : { id: `${virtual}${name}.cjs`, moduleSideEffects: false }
    }
  },
  load: (id) =>
    id.startsWith(virtual) ? { code: late(id.slice(virtual.length, -".cjs".length)), moduleType: "js" } : null
}

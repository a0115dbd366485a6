/**
 * Loads each of Node's own modules on first use. A bundler puts all requires at the top, where `http`, `https`,
 * `crypto` and `child_process` add 10 ms to a start that needs none of them.
 */
import { builtinModules, createRequire } from "node:module"
import type { Plugin } from "rolldown"

const require = createRequire(import.meta.url)
const virtual = "\0builtin:"

/** Modules that Node loads anyway, or that are not a plain object with named members. */
const isEager = (name: string) =>
  name === "process" || name === "async_hooks" || typeof require(`node:${name}`) === "function"

const lazyModule = (name: string) => {
  const accessors = Object.keys(require(`node:${name}`) as object)
    .toSorted()
    // some members are meant to be replaced, such as `globalAgent` of `http`
    .map((member) => `get ${member}() { return load().${member} }, set ${member}(value) { load().${member} = value }`)
  // cached, because calling `require` again takes as long as a small system call
  return `let loaded\nconst load = () => (loaded ??= require("node:${name}"))\nmodule.exports = {${accessors.join(",\n")}}`
}

export const lazyBuiltins: Plugin = {
  name: "lazy-builtins",
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
    id.startsWith(virtual) ? { code: lazyModule(id.slice(virtual.length, -".cjs".length)), moduleType: "js" } : null
}

#!/usr/bin/env node
// Plain JavaScript that any Node can read, so that an old one gets a sentence instead of a syntax error.
import { existsSync } from 'node:fs'
import module from 'node:module'

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 24 || (major === 24 && minor < 15)) {
  console.error(`fairlead needs Node.js 24.15 or newer; this is ${process.versions.node}.`)
  process.exit(1)
}
// Keeps what was compiled, and what was stripped of its types: half the start time and 25 MB a process.
module.enableCompileCache?.()
// A clone runs from its sources, a published package from the JavaScript built of them.
const source = new URL('../src/cli/main.ts', import.meta.url)
const { main } = await import(existsSync(source) ? source.href : new URL('../dist/cli/main.js', import.meta.url).href)
await main(process.argv.slice(2))

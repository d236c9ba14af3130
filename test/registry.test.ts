import { findRegistry } from '../scripts/debian-registry.ts'
import { startDebianRegistry } from './debian-registry.ts'
import { startRegistry } from './registry.ts'
import { registrySuite } from './suites/registry-suite.ts'

registrySuite('a registry in this process', startRegistry)

// Where there is none, as in CI, the one above still asks all of the client.
const found = await findRegistry(process.env)
if ('path' in found) registrySuite('docker-registry', (options) => startDebianRegistry(found.path, options))
else console.error(`the registry tests ran against a registry of our own alone: ${found.missing}`)

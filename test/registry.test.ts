import { findRegistry } from '../scripts/debian-registry.ts'
import { startDebianRegistry } from './debian-registry.ts'
import { startRegistry } from './registry.ts'
import { registrySuite } from './suites/registry-suite.ts'

registrySuite('a registry in this process', startRegistry)

// Where there is none, the one above still asks all of the client, and `scripts/test.ts` says so.
const found = await findRegistry(process.env)
if ('path' in found) registrySuite('docker-registry', (options) => startDebianRegistry(found.path, options))

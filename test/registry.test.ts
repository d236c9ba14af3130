import { startRegistry } from './registry.ts'
import { registrySuite } from './suites/registry-suite.ts'

registrySuite('a registry in this process', startRegistry)

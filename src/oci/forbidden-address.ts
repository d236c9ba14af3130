import { lookup, type LookupAddress } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { Fault } from '#base/fault.ts'
import { registryFaults } from './faults.ts'

/**
 * Addresses at which a machine's own cloud tells its secrets to whoever asks from within. An image's name is a tenant's
 * to choose, so it must not make us ask there.
 */
const forbidden = new BlockList()
forbidden.addSubnet('169.254.0.0', 16) // link-local; AWS, Google, Azure, OpenStack
forbidden.addSubnet('fe80::', 10, 'ipv6')
forbidden.addSubnet('64:ff9b::a9fe:0', 112, 'ipv6') // link-local, by a translator between the protocols
forbidden.addAddress('fd00:ec2::254', 'ipv6') // AWS
forbidden.addAddress('fd20:ce::254', 'ipv6') // Google
forbidden.addAddress('100.100.100.200') // Alibaba
forbidden.addAddress('168.63.129.16') // Azure's host
forbidden.addAddress('192.0.0.192') // Oracle

/** Throws for a host that is such an address; a name is looked at by `guardedLookup`. */
export function refuseForbidden(hostname: string): void {
  const address = hostname.replace(/^\[|\]$/g, '')
  if (isForbidden(address)) throw refusal(address, address)
}

/** As the system looks names up, but a name that leads to such an address fails. */
export const guardedLookup: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) return callback(error, '')
    const wrong = addresses.find(({ address }) => isForbidden(address))
    if (wrong !== undefined) return callback(refusal(hostname, wrong.address), '')
    const [first] = addresses as [LookupAddress, ...LookupAddress[]]
    if (options.all === true) callback(null, addresses)
    else callback(null, first.address, first.family)
  })
}

function isForbidden(address: string): boolean {
  const version = isIP(address)
  return version !== 0 && forbidden.check(address, version === 6 ? 'ipv6' : 'ipv4')
}

function refusal(hostname: string, address: string): Fault {
  const where = hostname === address ? address : `${hostname}, which is ${address},`
  return new Fault('invalid', registryFaults.forbidden, `${where} is never asked: it is no address of a registry`)
}

/**
 * What a registry's refusal or silence means, as the code of a `Fault`; also the reason of conditions. Nothing is told
 * by a message's text: all of these come from HTTP statuses, the registry's error codes and the system's.
 */
export const registryFaults = {
  /** `invalid`: no image reference. */
  invalidReference: 'InvalidImageReference',
  /** `invalid`: a pull secret that cannot be read. */
  secretMalformed: 'SecretMalformed',
  /** `denied`: no credential that fits was accepted, nor was nobody's. */
  denied: 'ImagePullAuthFailure',
  /** `missing`: no such repository, tag or digest. */
  notFound: 'ImageNotFound',
  /** `invalid`: an image of a form that nobody runs any more, or too large to look at. */
  unsupported: 'UnsupportedImage',
  /** `invalid`: an index without an image for us. */
  noPlatform: 'PlatformNotFound',
  /** `invalid`: a host that must not be asked, by our own settings. */
  forbidden: 'RegistryForbidden',
  /** `invalid`: nobody lists what was asked for. */
  noListing: 'ListingUnsupported',
  /** `exhausted`: asked too often; `retryAfterMs` where the registry says how long to wait. */
  rateLimited: 'RegistryRateLimited',
  /** `unavailable`: its certificate is not trusted. */
  tls: 'RegistryTLSError',
  /** `unavailable`: anything that may pass: names, connections, timeouts, 5xx, broken answers. */
  failed: 'MetadataExtractionFailed',
} as const

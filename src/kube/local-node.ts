/** What a node of the embedded server tells others about itself and its pods, beyond Kubernetes' own fields. */

/**
 * On a pod, where the system has no loopback address for every pod: JSON such as `{"8000": 34567}`, container port →
 * port on the pod's IP, which all pods of the node then share.
 */
export const hostPortsAnnotation = 'fairlead.dev/host-ports'

/** On a node, `"true"`: any pod fits, whatever resources, selectors and affinities it asks for. */
export const acceptsAllAnnotation = 'fairlead.dev/accepts-all'

// What the lab leaves marks with on the machine while it runs.

/** Every namespace, folder of /etc/netns and work folder of the lab: PREFIX, process id, rest. */
export const PREFIX = 'sluice-lab-';
/** `ip netns exec` puts files of NAME here in the place of those of /etc. */
export const NETNS_CONFIG = '/etc/netns';

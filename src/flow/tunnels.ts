// Names of the tunnels that the decoder can open -> the mask of native/src/decoder.hpp.

/** In the order of the mask's bits. */
export const TUNNELS = ['gre', 'vxlan', 'gtpu', 'ipip'] as const;
export type Tunnel = (typeof TUNNELS)[number];

export function isTunnel(name: unknown): name is Tunnel {
  return TUNNELS.some((tunnel) => tunnel === name);
}

/** Names given twice count once. */
export function tunnelMask(tunnels: readonly Tunnel[]): number {
  return tunnels.reduce((mask, tunnel) => mask | (1 << TUNNELS.indexOf(tunnel)), 0);
}

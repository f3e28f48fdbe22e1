// `--tunnels LIST`: shared by the subcommands that decode packets.

import { InvalidArgumentError, Option } from 'commander';
import { isTunnel, TUNNELS, type Tunnel } from '../flow/tunnels.ts';

/** What the option adds to a subcommand's own. */
export interface TunnelsOption {
  readonly tunnels: readonly Tunnel[];
}

export function tunnelsOption(): Option {
  return new Option(
    '--tunnels <list>',
    `tunnels to look into: all, none, or some of ${TUNNELS.join(',')}`,
  )
    .default(TUNNELS, 'all')
    .argParser(parseTunnels);
}

function parseTunnels(list: string): readonly Tunnel[] {
  if (list === 'all') return TUNNELS;
  if (list === 'none') return [];
  return list.split(',').map((name) => {
    if (isTunnel(name)) return name;
    throw new InvalidArgumentError(
      `No tunnel is called '${name}': give all, none, or some of ${TUNNELS.join(',')}.`,
    );
  });
}

// Options that make each network small enough for a test.

const stack = { groups: [[[8, 3, 2]], [[8, 3, 2]]], dense: 12 };
const lstms = { dense: 6, units: [8, 8] };
const dropout = { branch: 0, head: 0 };
const ends = { statistics: [8], head: [16], dropout };

/** By the network's name; nothing is dropped out. */
export const SMALL: Readonly<Record<string, object>> = {
  'tripartite-lstm': { handshake: stack, series: lstms, ...ends },
  'tripartite-cnn': { handshake: stack, series: stack, ...ends },
  'flow-lstm': { series: lstms, ...ends },
  'flow-cnn': { series: stack, ...ends },
  'ucdavis-cnn': { handshake: stack, head: [16], dropout },
  'ucdavis-cnn-lstm': { handshake: stack, session: { units: [8] }, head: [16], dropout },
  'router-cnn': { handshake: stack, series: stack, ...ends },
  'router-lstm': { handshake: stack, series: { dense: 6, units: [8] }, ...ends },
};

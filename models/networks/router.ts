// The router's own shapes: what a weak CPU can keep up with (DESIGN 7).

/** Widths of `router-cnn`: [filters, kernel, stride] a convolution. About 0.36 M parameters (DESIGN 7). */
export const ROUTER_CNN = {
  // Four convolutions, two poolings over 3 x 600 bytes (paper 3.2 [F]), strided so that a weak CPU keeps up: at once, because a
  // number of a first convolution costs more to bring back to 8 bits than to compute
  handshake: {
    first: [
      [48, 24, 8],
      [48, 3, 1],
    ],
    second: [
      [64, 3, 2],
      [96, 3, 1],
    ],
    dense: 96,
  },
  // The CNN variant of the series branch (paper 3.2)
  series: {
    first: [
      [48, 12, 4],
      [64, 5, 1],
    ],
    second: [[96, 3, 1]],
    dense: 128,
  },
  statistics: [96, 96], // paper 3.2: 200, 200; a router pays for half
  head: [192, 96], // paper 3.2: 256, 128
  pool: 2,
} as const;

/** Paper 3.2: up to 0.5, most in the last dense layers. Departs from it: the branches overfit some thousand flows before the head does. */
export const ROUTER_DROPOUT = { branch: 0.5, head: 0.3 } as const;

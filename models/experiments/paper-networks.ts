// The rows of the paper's table (paper 4) as they are trained here: every network with a quarter of the paper's widths and T = 128
// instead of 1024, because data sets and machines here are smaller; the router's own shapes whole.

const handshake = {
  groups: [
    [
      [32, 3, 1],
      [32, 3, 1],
    ],
    [
      [64, 3, 1],
      [64, 3, 1],
    ],
  ],
  pool: 2,
  dense: 0,
};
const lstm = { dense: 32, units: [64, 64, 64], bidirectional: true };
const statistics = [50, 50];
const head = [64, 32];
/** The paper's 0.5 leaves a head of a quarter of its width too little to learn with: such networks stay at chance. */
const dropout = { branch: 0.1, head: 0.2 };
const seriesSteps = 128;

/** What of them was made smaller, for the table's foot. */
export const PAPER_SCALE =
  'Networks of the paper with a quarter of its widths and 128 steps instead of 1,024, dropout of 0.2 in the head; router networks in their own shape.';

export interface PaperNetwork {
  readonly name: string;
  readonly options: Record<string, unknown>;
  readonly seriesSteps?: number;
  /** Over what the table decides. */
  readonly training?: Record<string, unknown>;
}

/** Networks that are shipped in int8 are trained for it, as their configurations do (models/configs). */
const shipped = { training: { int8Weights: true } };

export const PAPER_NETWORKS: readonly PaperNetwork[] = [
  {
    name: 'tripartite-lstm',
    options: { handshake, series: lstm, statistics, head, dropout },
    seriesSteps,
  },
  {
    name: 'tripartite-cnn',
    options: { handshake, series: handshake, statistics, head, dropout },
    seriesSteps,
  },
  {
    name: 'flow-lstm',
    options: { series: lstm, statistics, head, dropout },
    seriesSteps,
  },
  {
    name: 'flow-cnn',
    options: { series: handshake, statistics, head, dropout },
    seriesSteps,
  },
  { name: 'ucdavis-cnn', options: { handshake, head, dropout } },
  {
    name: 'ucdavis-cnn-lstm',
    options: {
      handshake: { ...handshake, dense: 64 },
      session: { dense: 0, units: [32], bidirectional: false },
      head,
      dropout,
    },
  },
  { name: 'router-cnn', options: {}, ...shipped },
  { name: 'router-lstm', options: {}, ...shipped },
];

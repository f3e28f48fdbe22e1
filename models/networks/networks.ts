// Every network there is, by name: those of the paper with its shapes as defaults, those of routers (DESIGN 7).
// docs/networks.md has their pictures.

import { InputError } from '../../src/errors.ts';
import { ROUTER_SERIES_STEPS, SERIES_STEPS_MAX } from '../../src/features/shapes.ts';
import { C45 } from '../tree/c45-kind.ts';
import { type ModelKind, type Network, network, TENSORS } from './network.ts';
import {
  PAPER_CONVOLUTIONS,
  PAPER_DROPOUT,
  PAPER_HEAD,
  PAPER_RECURRENT,
  PAPER_STATISTICS,
} from './options.ts';
import { ROUTER_CNN, ROUTER_DROPOUT } from './router.ts';
import { type TripartiteDefaults, tripartiteCnn, tripartiteLstm } from './tripartite.ts';
import { ucdavisCnn, ucdavisCnnLstm } from './ucdavis.ts';

const { handshakeBytes, series, statistics } = TENSORS;

const paper = {
  inputs: [handshakeBytes, series, statistics],
  seriesSteps: SERIES_STEPS_MAX,
  handshake: PAPER_CONVOLUTIONS,
  statistics: PAPER_STATISTICS,
  head: PAPER_HEAD,
  dropout: PAPER_DROPOUT,
} satisfies Partial<TripartiteDefaults<never>>;

const router = {
  inputs: [handshakeBytes, series, statistics],
  seriesSteps: ROUTER_SERIES_STEPS,
  handshake: {
    groups: [ROUTER_CNN.handshake.first, ROUTER_CNN.handshake.second].map(copyOfGroup),
    pool: ROUTER_CNN.pool,
    dense: ROUTER_CNN.handshake.dense,
  },
  statistics: ROUTER_CNN.statistics,
  head: ROUTER_CNN.head,
  dropout: ROUTER_DROPOUT,
} satisfies Partial<TripartiteDefaults<never>>;

function copyOfGroup(
  group: readonly (readonly [number, number, number])[],
): [number, number, number][] {
  return group.map(([filters, kernel, stride]) => [filters, kernel, stride]);
}

const ALL: readonly Network[] = [
  network(
    'tripartite-lstm',
    tripartiteLstm({
      ...paper,
      name: 'tripartite-lstm',
      summary: 'the paper’s network: a CNN on the handshake, LSTMs on the series (3.2)',
      series: PAPER_RECURRENT,
    }),
  ),
  network(
    'tripartite-cnn',
    tripartiteCnn({
      ...paper,
      name: 'tripartite-cnn',
      summary: 'the paper’s variant with a CNN on the series (3.2)',
      series: PAPER_CONVOLUTIONS,
    }),
  ),
  network(
    'flow-lstm',
    tripartiteLstm({
      ...paper,
      name: 'flow-lstm',
      summary: 'tripartite-lstm without the handshake (paper 4, flow only)',
      inputs: [series, statistics],
      series: PAPER_RECURRENT,
    }),
  ),
  network(
    'flow-cnn',
    tripartiteCnn({
      ...paper,
      name: 'flow-cnn',
      summary: 'tripartite-cnn without the handshake (paper 4, flow only)',
      inputs: [series, statistics],
      series: PAPER_CONVOLUTIONS,
    }),
  ),
  network('ucdavis-cnn', ucdavisCnn),
  network('ucdavis-cnn-lstm', ucdavisCnnLstm),
  network(
    'router-cnn',
    tripartiteCnn({
      ...router,
      name: 'router-cnn',
      summary: 'tripartite-cnn, strided and narrow, for a router’s processor (DESIGN 7)',
      series: {
        groups: [ROUTER_CNN.series.first, ROUTER_CNN.series.second].map(copyOfGroup),
        pool: ROUTER_CNN.pool,
        dense: ROUTER_CNN.series.dense,
      },
    }),
  ),
  network(
    'router-lstm',
    tripartiteLstm({
      ...router,
      name: 'router-lstm',
      summary: 'router-cnn with an LSTM of 64 units on 64 steps (DESIGN 7)',
      seriesSteps: ROUTER_SERIES_STEPS / 2,
      series: { dense: 32, units: [64], bidirectional: true },
    }),
  ),
];

/** By name. */
export const NETWORKS: Readonly<Record<string, Network>> = Object.fromEntries(
  ALL.map((each) => [each.name, each]),
);

/** Throws InputError naming those that there are. */
export function networkNamed(name: string): Network {
  const found = NETWORKS[name];
  if (found !== undefined) return found;
  throw unknown(name, Object.keys(NETWORKS));
}

/** A network, or the tree that can be trained in its stead. Throws InputError naming those that there are. */
export function modelKindNamed(name: string): ModelKind {
  const found = name === C45.name ? C45 : NETWORKS[name];
  if (found !== undefined) return found;
  throw unknown(name, [...Object.keys(NETWORKS), C45.name]);
}

function unknown(name: string, known: readonly string[]): InputError {
  return new InputError(
    'ERR_NETWORK_NAME',
    `network "${name}" is not known; expected one of ${known.join(', ')}`,
  );
}

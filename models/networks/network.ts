// What a network is to those that train, evaluate and export it: inputs, options with the paper's shapes as defaults, and
// a function that builds it. Axes: B flows, M handshake messages, N bytes of a message, T steps, C channels, S statistics,
// F flows of a session, K classes.

import { z } from 'zod';
import { InputError } from '../../src/errors.ts';
import type { SizeNormaliser } from '../../src/features/normalise.ts';
import type { tf } from '../backend.ts';

/** Names of inputs and output, the same in tfjs, in ONNX and in the manifest (DESIGN 4). */
export const TENSORS = {
  handshakeBytes: 'handshake_bytes',
  series: 'series',
  statistics: 'statistics',
  probabilities: 'probabilities',
} as const;

/**
 * In the order in which a network takes those that it has.
 *
 * handshake_bytes [B, M, N], or [B, F, M, N] where a row is a session; series [B, T, C]; statistics [B, S]
 */
export const INPUTS = [
  TENSORS.handshakeBytes,
  TENSORS.series,
  TENSORS.statistics,
] as const;
export type InputName = (typeof INPUTS)[number];

/** What the data decides. */
export interface NetworkShape {
  /** T */
  readonly seriesSteps: number;
  /** S */
  readonly statistics: number;
  /** K: eight services, 53 applications, whatever the labels are. */
  readonly classes: number;
  /** F, for networks whose rows are sessions: flows of a session, the first ones; `SESSION_FLOWS` if not given. */
  readonly sessionFlows?: number | undefined;
  /** Decides initial weights and dropout masks. */
  readonly seed: number;
}

export const SESSION_FLOWS = 8;

/** A kind of model with options of its own kind. */
interface KindDefinition<S extends z.ZodType> {
  /** One line for people: what it is, and of the paper what. */
  readonly summary: string;
  /** What a row is, and so what a label is of. */
  readonly row: 'flow' | 'session';
  /** T where a run names none. */
  readonly seriesSteps: number;
  readonly options: S;
  readonly inputs: (options: z.infer<S>) => readonly InputName[];
  /** Which normaliser of sizes the features of its series need. */
  readonly sizes: (options: z.infer<S>) => SizeNormaliser;
}

export interface NetworkDefinition<S extends z.ZodType> extends KindDefinition<S> {
  readonly build: (shape: NetworkShape, options: z.infer<S>) => tf.LayersModel;
}

/** What can be trained, whose options may come from a file: `{}` gives the paper's shape. */
export interface ModelKind {
  readonly name: string;
  readonly summary: string;
  readonly row: 'flow' | 'session';
  readonly seriesSteps: number;
  /** The schema of its options; every key has a default. */
  readonly options: z.ZodType;
  /** All options, those that were left out filled in. Throws InputError on what is no option. */
  readonly resolve: (options: unknown) => NetworkOptions;
  /** Of INPUTS those that it reads, in that order: how the model takes them. */
  readonly inputs: (options?: unknown) => readonly InputName[];
  /** The normaliser of sizes (features.ts) that its series has to be written with. */
  readonly sizes: (options?: unknown) => SizeNormaliser;
}

/** A kind of model that is a network of tfjs. */
export interface Network extends ModelKind {
  readonly build: (shape: NetworkShape, options?: unknown) => tf.LayersModel;
}

/** Resolved options: plain JSON, as a run's configuration and the manifest keep them. */
export type NetworkOptions = Readonly<Record<string, unknown>>;

/** Puts the check of options in front of everything that a definition has. */
export function modelKind<S extends z.ZodType>(
  name: string,
  definition: KindDefinition<S>,
): ModelKind {
  const resolve = resolverOf(name, definition);
  return {
    name,
    summary: definition.summary,
    row: definition.row,
    seriesSteps: definition.seriesSteps,
    options: definition.options,
    resolve: (options) => resolve(options) as NetworkOptions,
    inputs: (options) => definition.inputs(resolve(options)),
    sizes: (options) => definition.sizes(resolve(options)),
  };
}

/** The same of a network. */
export function network<S extends z.ZodType>(
  name: string,
  definition: NetworkDefinition<S>,
): Network {
  const resolve = resolverOf(name, definition);
  return {
    ...modelKind(name, definition),
    build: (shape, options) => definition.build(shape, resolve(options)),
  };
}

function resolverOf<S extends z.ZodType>(
  name: string,
  { options: schema }: KindDefinition<S>,
): (options: unknown) => z.infer<S> {
  return (options) => {
    const parsed = schema.safeParse(options ?? {});
    if (parsed.success) return parsed.data;
    const faults = z.prettifyError(parsed.error).replaceAll('\n', '; ');
    throw new InputError('ERR_NETWORK_OPTIONS', `options of network ${name}: ${faults}`);
  };
}

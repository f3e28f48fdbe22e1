// Every shape of the model's inputs, once. Nothing else in src, models, export or test writes these numbers.
// Axes: B flows, M handshake messages, N bytes of a message, T steps of the series, C channels, S statistics.

/** M: handshake messages a model reads (paper 3.2: "up to three handshake packets"). */
export const HANDSHAKE_MESSAGES = 3;
/** N: bytes of each message (paper 3.2, C = 600). */
export const HANDSHAKE_BYTES = 600;
/** T's upper bound (paper 3.2). A model's own T stands in its manifest. */
export const SERIES_STEPS_MAX = 1024;
/** C: inter-arrival time, size, direction. */
export const SERIES_CHANNELS = 3;
/** T of the router models. */
export const ROUTER_SERIES_STEPS = 128;

/** Packets after which a flow is looked at early, in training and evaluation; and once more when it is whole. */
export const EARLY_PACKETS: readonly number[] = [3, 5, 10, 30, 100];

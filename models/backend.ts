// Which tfjs backend computes: native TensorFlow where its library is in place, else wasm. The one place through which
// models and tests get at tfjs.

import * as tf from '@tensorflow/tfjs';

export { tf };

export const BACKENDS = ['native', 'wasm'] as const;
export type Backend = (typeof BACKENDS)[number];

/** tfjs' own names of the backends. */
const TFJS_NAMES = { native: 'tensorflow', wasm: 'wasm' } as const;
/** tfjs-node calls util.isNullOrUndefined, which Node 23 took away. */
const FIRST_NODE_WITHOUT_NATIVE = 23;

/**
 * Makes tfjs compute with `wanted`, or with the fastest that there is. To be awaited before the first tensor.
 *
 * @returns the backend in use.
 * @throws Error when 'native' is asked for and cannot be loaded.
 */
export async function chooseBackend(wanted?: Backend): Promise<Backend> {
  // Drops tfjs' checks of every result and its advertisement of tfjs-node.
  tf.enableProdMode();
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  const failure = wanted === 'wasm' ? undefined : await loadNative();
  if (wanted !== 'wasm' && failure === undefined) return await use('native');
  if (wanted === 'native') {
    throw new Error(
      `native TensorFlow cannot be loaded (${failure}); run npm run setup:training`,
    );
  }
  await loadWasm();
  return await use('wasm');
}

/** One line for people: what computes, and why not faster. */
export function describeBackend(backend: Backend): string {
  return backend === 'native'
    ? 'native TensorFlow (tfjs-node)'
    : 'wasm, 2-10 times slower than native TensorFlow (npm run setup:training gets that, where it can be had)';
}

async function use(backend: Backend): Promise<Backend> {
  if (!(await tf.setBackend(TFJS_NAMES[backend]))) {
    throw new Error(`tfjs refuses its backend ${TFJS_NAMES[backend]}`);
  }
  await tf.ready();
  return backend;
}

/** Why native TensorFlow is not to be had, undefined when it is loaded. */
async function loadNative(): Promise<string | undefined> {
  const major = Number(process.versions.node.split('.')[0]);
  if (major >= FIRST_NODE_WITHOUT_NATIVE) return `tfjs-node fails on Node ${major}`;
  try {
    await import('@tensorflow/tfjs-node');
    return undefined;
  } catch (error) {
    return (error as Error).message.split('\n')[0]?.trim() ?? 'unknown reason';
  }
}

let wasmLoaded = false;

async function loadWasm(): Promise<void> {
  if (wasmLoaded) return;
  await import('@tensorflow/tfjs-backend-wasm');
  const { registerWasmKernels } = await import('./wasm-kernels.ts');
  registerWasmKernels();
  wasmLoaded = true;
}

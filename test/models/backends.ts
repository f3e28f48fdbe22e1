// Which backends there are to test on.

import { type Backend, chooseBackend } from '../../models/backend.ts';

/** wasm always, native where its library is; says so where it is not. */
export async function backends(): Promise<Backend[]> {
  try {
    await chooseBackend('native');
    return ['native', 'wasm'];
  } catch (error) {
    process.stderr.write(
      `native TensorFlow is not tested: ${(error as Error).message}\n`,
    );
    return ['wasm'];
  }
}

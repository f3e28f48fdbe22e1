// `sluice bundle ...`: what is done to a model bundle beside running it: keys, signatures, archives, a look inside.

import { Command } from 'commander';
import { bundleInspectCommand, bundleVerifyCommand } from './bundle-inspect.ts';
import { bundlePackCommand, bundleUnpackCommand } from './bundle-pack.ts';
import { bundleKeygenCommand, bundleSignCommand } from './bundle-sign.ts';

export function bundleCommand(): Command {
  const bundle = new Command('bundle')
    .description('sign, verify, pack and look into model bundles')
    .exitOverride();
  for (const command of [
    bundleKeygenCommand(),
    bundleSignCommand(),
    bundleVerifyCommand(),
    bundleInspectCommand(),
    bundlePackCommand(),
    bundleUnpackCommand(),
  ]) {
    bundle.addCommand(command.exitOverride());
  }
  return bundle;
}

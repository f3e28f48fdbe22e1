// The configuration of the agent: a YAML file, then the command line over it, then what the machine gives.

import { dirname, join, resolve } from 'node:path';
import { SHIPPED_BUNDLE } from '../bundle/shipped-bundle.ts';
import { readBounded } from './bounded-file.ts';
import { contradictions } from './config-checks.ts';
import {
  configError,
  type Fault,
  issueFaults,
  type PlaceOf,
  show,
} from './config-faults.ts';
import { configSchema, type FileSettings } from './config-schema.ts';
import {
  type ConfigOverrides,
  isMap,
  override,
  type Tree,
  treeOf,
} from './config-tree.ts';
import { type Environment, findToken, type Token } from './token.ts';
import { readYaml } from './yaml-source.ts';

/** The configuration in effect: all defaults filled in, all paths absolute. */
export type AgentConfig = DeepReadonly<
  Omit<FileSettings, 'classify' | 'report'> & {
    classify: FileSettings['classify'] & { bundle: string };
    report: Omit<FileSettings['report'], 'token'> & {
      /** There is one whenever there is a controller. */
      token: Token | undefined;
      spoolDirectory: string;
    };
    /** A line each, for people: it works, at a risk. */
    warnings: string[];
  }
>;

type DeepReadonly<T> = T extends Token
  ? T
  : T extends (infer Element)[]
    ? readonly Element[]
    : T extends object
      ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
      : T;

const FILE_BYTES_MAX = 2 ** 20;

/**
 * Reads a configuration; without a path all is as by default.
 *
 * @throws ConfigError all faults, one a line
 */
export function loadConfig(
  path: string | undefined,
  env: Environment,
  overrides: ConfigOverrides = {},
): AgentConfig {
  if (path === undefined) return parseConfig('', 'configuration', env, overrides);
  let text: string | undefined;
  try {
    text = readBounded(path, FILE_BYTES_MAX);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const why = code === 'ERR_ENCODING_INVALID_ENCODED_DATA' ? 'it is not UTF-8' : code;
    throw fileError(path, `cannot be read (${why}), expected a YAML file`, cause);
  }
  if (text === undefined) {
    throw fileError(path, `is longer than ${FILE_BYTES_MAX} bytes, expected a YAML file`);
  }
  return parseConfig(text, path, env, overrides);
}

/**
 * The same of a text. Reads the token's file, nothing else.
 *
 * @param name of the file, for messages; relative paths in the text are from its directory
 * @throws ConfigError all faults, one a line
 */
export function parseConfig(
  text: string,
  name: string,
  env: Environment,
  overrides: ConfigOverrides = {},
): AgentConfig {
  const source = readYaml(text, name);
  const tree = treeOf(source.value);
  if (tree === undefined) {
    const found = Array.isArray(source.value) ? 'a list' : show(source.value);
    const line = source.lineOf([]);
    const what = `${found} at the top, expected a map of keys`;
    throw configError([...source.faults, { place: `${name}:${line}`, line, text: what }]);
  }
  const flags = override(tree, overrides);
  const placeOf: PlaceOf = (path) => {
    const flag = flags.get(path.join('.'));
    if (flag !== undefined) return { place: flag, line: 0 };
    const line = source.lineOf(path);
    return { place: `${name}:${line}`, line };
  };
  const { settings, faults, faulty } = validate(tree, placeOf);
  const { token, warning, fault } = findToken(settings.report, dirname(name), env);
  if (fault !== undefined) {
    faulty.add(fault.key);
    faults.push({ ...placeOf(fault.key.split('.')), text: fault.text });
  }
  for (const { at, about, text: what } of contradictions(settings, token !== undefined)) {
    if (about.some((key) => faulty.has(key) || faulty.has(key.split('.')[0] ?? '')))
      continue;
    faults.push({ ...placeOf(at.split('.')), text: what });
  }
  if (source.faults.length + faults.length > 0) {
    throw configError([...source.faults, ...faults]);
  }
  return {
    ...complete(settings, dirname(name), env, token),
    warnings: warning === undefined ? [] : [warning],
  };
}

function fileError(path: string, what: string, cause?: unknown): Error {
  return configError([{ place: path, line: 0, text: what }], cause);
}

/** Settings in any case: keys with faults have their defaults, so that the others can be looked at, too. */
function validate(
  tree: Tree,
  placeOf: PlaceOf,
): { settings: FileSettings; faults: Fault[]; faulty: Set<string> } {
  const parsed = configSchema.safeParse(tree);
  if (parsed.success) {
    return { settings: parsed.data, faults: [], faulty: new Set() };
  }
  const { faults, faulty } = issueFaults(parsed.error.issues, tree, placeOf);
  const sound: Tree = {};
  for (const [key, value] of Object.entries(tree)) {
    if (faulty.has(key)) continue;
    sound[key] = isMap(value)
      ? Object.fromEntries(
          Object.entries(value).filter(([inner]) => !faulty.has(`${key}.${inner}`)),
        )
      : value;
  }
  return { settings: configSchema.parse(sound), faults, faulty };
}

function complete(
  settings: FileSettings,
  directory: string,
  env: Environment,
  token: Token | undefined,
): Omit<AgentConfig, 'warnings'> {
  const { classify, report, output } = settings;
  const { token: _inFile, tokenFile, caFile, ...rest } = report;
  const absolute = (path: string): string => resolve(directory, path);
  const isFile = output.predictions !== 'none' && output.predictions !== 'stdout';
  return {
    ...settings,
    classify: {
      ...classify,
      bundle: classify.bundle === undefined ? SHIPPED_BUNDLE : absolute(classify.bundle),
    },
    report: {
      ...rest,
      ...(tokenFile !== undefined && { tokenFile: absolute(tokenFile) }),
      ...(caFile !== undefined && { caFile: absolute(caFile) }),
      token,
      spoolDirectory: absolute(report.spoolDirectory ?? stateDirectory(env)),
    },
    output: isFile ? { ...output, predictions: absolute(output.predictions) } : output,
  };
}

/** Where systemd, or else the desktop's rules, want a program's state. */
function stateDirectory(env: Environment): string {
  // Of several that systemd has made the first one is ours.
  const [ofSystemd = ''] = (env.STATE_DIRECTORY ?? '').split(':');
  if (ofSystemd.startsWith('/')) return ofSystemd;
  const { XDG_STATE_HOME: state = '', HOME: home = '' } = env;
  // The rules: what is not absolute is to be ignored.
  if (state.startsWith('/')) return join(state, 'sluice/agent');
  return home.startsWith('/')
    ? join(home, '.local/state/sluice/agent')
    : '/var/lib/sluice/agent';
}

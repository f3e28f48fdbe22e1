// PySpark in a virtual environment of its own, made once and kept in the cache beside what training needs; and jobs on it, in
// a cluster of two executors that are processes of their own.

import { execFile, spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Outcome } from './sluice.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const REQUIREMENTS = join(ROOT, 'cluster/requirements.txt');
const JOB = join(ROOT, 'cluster/build_dataset.py');
const SLUICE = fileURLToPath(new URL('../../src/bin/sluice.js', import.meta.url));
const CACHE = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'sluice');
const ENVIRONMENT = join(CACHE, 'pyspark-4.3.0');
const PYTHON = join(ENVIRONMENT, 'bin/python');
/** Stands once everything is installed. */
const WHOLE = join(ENVIRONMENT, 'sluice-whole');
/** 456 MB. */
const INSTALL_LIMIT_MS = 900_000;
const JOB_LIMIT_MS = 900_000;
const JAVA_LEAST = 17;

/** Makes the environment where it is missing. @returns why there is none; undefined: there is one */
export function sparkObstacle(): string | undefined {
  const java = spawnSync('java', ['-version'], { encoding: 'utf8' });
  if (java.error !== undefined) return 'no Java runtime';
  const version = Number(/version "(\d+)/.exec(java.stderr)?.[1]);
  if (!(version >= JAVA_LEAST)) return `Java ${version}, Spark wants ${JAVA_LEAST}`;
  if (existsSync(WHOLE)) return undefined;
  rmSync(ENVIRONMENT, { recursive: true, force: true });
  const steps: readonly (readonly [string, ...string[]])[] = [
    ['python3', '-m', 'venv', ENVIRONMENT],
    [PYTHON, '-m', 'pip', 'install', '--quiet', '--retries', '1', '-r', REQUIREMENTS],
  ];
  for (const [command, ...args] of steps) {
    const limits = { encoding: 'utf8', timeout: INSTALL_LIMIT_MS } as const;
    const done = spawnSync(command, args, limits);
    if (done.status === 0) continue;
    const said = `${done.stderr ?? ''}`.trimEnd().split('\n').at(-1) ?? '';
    return `${command} ${args.slice(0, 3).join(' ')}: ${done.error?.message ?? said}`;
  }
  writeFileSync(WHOLE, '');
  return undefined;
}

/** Runs cluster/build_dataset.py by spark-submit. */
export function sparkBuild(
  args: readonly string[],
  sluice = `${process.execPath} ${SLUICE}`,
): Promise<Outcome> {
  const settings = {
    'spark.driver.host': '127.0.0.1',
    'spark.driver.bindAddress': '127.0.0.1',
    'spark.ui.enabled': 'false',
    'spark.log.level': 'WARN',
  };
  return new Promise((resolve) => {
    const child = execFile(
      join(ENVIRONMENT, 'bin/spark-submit'),
      [
        ...['--master', 'local-cluster[2,1,1024]'],
        ...Object.entries(settings).flatMap(([key, value]) => [
          '--conf',
          `${key}=${value}`,
        ]),
        ...[JOB, '--sluice', sluice, ...args],
      ],
      {
        timeout: JOB_LIMIT_MS,
        maxBuffer: 1 << 28,
        env: { ...process.env, PYSPARK_PYTHON: PYTHON, SPARK_LOCAL_IP: '127.0.0.1' },
      },
      (_fault, stdout, stderr) => {
        resolve({ code: child.exitCode ?? undefined, stdout, stderr });
      },
    );
  });
}

/** Runs lines of Python that know the job. */
export function jobPython(code: string): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = execFile(
      'python3',
      ['-c', code],
      {
        cwd: join(ROOT, 'cluster'),
        env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
      },
      (_fault, stdout, stderr) => {
        resolve({ code: child.exitCode ?? undefined, stdout, stderr });
      },
    );
  });
}

// A program for tests: appends reports to the spool in its first argument until it is killed, and tells each on stdout once
// its append has resolved.

import { writeSync } from 'node:fs';
import { Spool } from '../../src/report/spool.ts';
import { nextReport } from './reports.ts';

const [directory = ''] = process.argv.slice(2);
const spool = await Spool.open({ directory, maxBytes: 1 << 22 });
for (;;) {
  const report = nextReport(spool, { classes: 20 });
  await spool.append(report);
  // Not buffered in this process: what a kill would take was never told.
  writeSync(1, `${report.boot} ${report.sequence}\n`);
}

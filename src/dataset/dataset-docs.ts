// The table of columns -> docs/dataset.md.

import { EARLY_PACKETS, SERIES_STEPS_MAX } from '../features/shapes.ts';
import { STATISTICS } from '../features/statistics-table.ts';
import {
  COLUMN_GROUPS,
  COLUMNS,
  type ColumnGroup,
  columnsOf,
  DATASET_VERSION,
} from './dataset-schema.ts';
import type { ParquetColumn } from './parquet-file.ts';
import { ROWS_A_GROUP } from './parquet-file.ts';

const INTRODUCTION = `# Data sets: from captures to labelled flows

<!-- Made by \`npm run -s docs\` from src/dataset/dataset-docs.ts and src/dataset/dataset-schema.ts: change it there. -->

\`\`\`sh
sluice dataset build captures/ more.pcapng.gz --out set/     # files, or folders to look for *.pcap and *.pcapng[.gz] in
sluice dataset info set/                                     # classes, sources, protocols; --verify reads every shard
sluice dataset build captures/ --out set/ --labels my.yaml --key secret.key --looks 5,10
\`\`\`

A data set is a folder: \`dataset.json\` says what it holds and how it was made, \`shards/ID.parquet\` holds the flows of one capture (ID: the first
16 hex digits of the SHA-256 of its file). \`sluice dataset build --help\` lists all options. Labels come from server names
([labels.md](labels.md)), or from \`NAME.labels.jsonl\` beside \`NAME.pcap\`, a line a flow, which wins: \`client, clientPort, server,
serverPort, startUs, service, session\`, and if wanted \`application, scenario, seed, clientSoftware, serverSoftware, profile\`. A line is of the flow
on its five-tuple that begins within a second of \`startUs\`.

**The same inputs give the same bytes**, whatever the number of workers, the order of captures, the machine: \`contentSha256\` in
\`dataset.json\` says whether two data sets are the same. Node's zlib packs the shards, so that is for one version of Node.

**Ended in the middle, it goes on.** A shard has its name only once it is whole; started again with the same options, a build keeps what
stands. Another label table, another line beside a capture, another option: what they touch is built anew. A capture that cannot be
read gets its line and exit code 2, the others are built. Two captures with the same content are one. Shards of captures that are no
longer named stay in the folder, outside the data set.

**On many machines**: [cluster.md](cluster.md).
`;

const PRIVACY = `## Privacy
In a data set are no addresses, no client's port, no server names (unless \`--keep-sni\`), no payload and no hello as it was: what names the server is
occluded (\`--show\` lets canary fields through; [handshake.md](handshake.md)). What is in it, and may tell something of people: times, sizes, the server's port,
classes and applications, digests of the client's software, and pseudonyms of client, host and session.

Pseudonyms are the first 16 hex digits of HMAC-SHA256. By default the key is the full SHA-256 of the capture: clients and hosts are told
apart within one capture, not linked over captures, and whoever lacks the capture cannot find out who they are. With \`--key FILE\` (at least 16
bytes, as \`openssl rand -out FILE 32\` makes) they are the same over captures, as splits by client want; whoever has the key can
find out names by trying, so it belongs to whoever may see the captures. The key is not in the data set.

What stands under \`facts\` and \`audit\` is for people, splits and the search for leaks; \`startUs\`, \`serverPort\` and pseudonyms are never features.
`;

const READING = `## Reading it
\`\`\`python
import glob, numpy as np, pandas as pd             # pandas with pyarrow
flows = pd.concat(map(pd.read_parquet, glob.glob('set/shards/*.parquet')))
after10 = np.stack([np.frombuffer(b) for b in flows['statistics_10']])         # float64, [flows, ${STATISTICS.length}]
sizes = [np.frombuffer(b, 'u2') for b in flows['ipLengths']]                   # of each packet
\`\`\`
\`\`\`sql
SELECT service, count(*), median(durationUs) FROM 'set/shards/*.parquet' GROUP BY service;   -- DuckDB
\`\`\`
\`\`\`python
spark.read.parquet('set/shards').groupBy('service').count().show()            # Spark
\`\`\`
Statistics are in the order of the table of [features.md](features.md); NaN has no value. In TypeScript, \`readDataset\` (\`src/dataset/dataset-reader.ts\`) gives rows,
\`featuresOfRow(row, spec, cut)\` (\`row-tensors.ts\`) the very tensors that a model would get of the flow, by any packet rule and normaliser, whole or after
any number of packets; a property test holds them to those of the cut record. \`checkSpec\` says whether a data set can serve a model.
`;

const MEMORY = `## Memory
A worker reads one capture at a time. Its flow table is fixed: at most 65,536 flows at a time and 256 MiB for their packets and payload; what does
not fit is counted, and said. Numbers, sessions and labels of a capture need all of its flows, so rows wait in a file without a name beside the
shards (of about the size of the rows, unpacked), and what stays in memory is 0.4 KB a flow; one row group of ${ROWS_A_GROUP.toLocaleString('en-US')} rows is
written at a time. So a capture of a million flows takes 0.4 GB beside the table. Bigger ones are better cut by time before (\`editcap -i 3600\`); sessions
are looked for within a capture, and a worker that runs out of memory says so.

## What it costs
\`npm run bench\` on 2 cores of an AMD EPYC, Node 20.20.2, nothing else running, medians of five runs in turns [least-most]: four captures, 200,132 packets
of 5,008 TLS flows, 166 MB. One worker: 771 flows [732-806] and 25.6 MB [24.3-26.8] a second of processor time, start-up included, 297 MB resident [296-316].
**Two workers are 1.17 times as fast** [1.16-1.21] on two cores, by 1.20 times the processor time [1.17-1.22], in 484 MB [481-488]: one worker keeps 1.3 cores busy by
itself, as the collector of garbage and the compiler run beside it. One capture of 46,898 flows of 16 packets: 1,378 flows a second of processor time, 460 MB
resident at the most. A flow takes 1.2 KB on disk.
`;

const GROUP_WORDS: Readonly<Record<ColumnGroup, string>> = {
  identity: 'which flow it is',
  label: 'what is taken as true of it',
  facts: 'for people and splits',
  audit: 'to look for shortcuts; never features',
  packets: 'its first packets, one by one',
  handshake: 'its hellos, occluded, as they looked when',
  looks: 'ready-made statistics',
};

/** The whole page. */
export function datasetPage(): string {
  const columns = new Map(
    columnsOf({ looks: [], keepSni: true }).map((column) => [column.name, column]),
  );
  const entries: readonly (readonly [string, { group: ColumnGroup; meaning: string }])[] =
    [
      ...Object.entries(COLUMNS),
      ['sni', { group: 'facts', meaning: 'the server name; only with `--keep-sni`' }],
      [
        'statistics',
        {
          group: 'looks',
          meaning: `float64 x ${STATISTICS.length}, raw: of all stored packets`,
        },
      ],
    ];
  const rows = COLUMN_GROUPS.flatMap((group) =>
    entries
      .filter(([, column]) => column.group === group)
      .map(([name, { meaning }], i) => {
        const first = i === 0 ? `${group}: ${GROUP_WORDS[group]}` : '';
        return `| ${first} | \`${name}\` | ${typeOf(columns.get(name))} | ${meaning} |`;
      }),
  );
  const looks = `| | \`statistics_N\` | ${typeOf(columns.get('statistics'))} | the same after N packets, for each N of \`--looks\` (${EARLY_PACKETS.join(', ')}) |`;
  return [
    INTRODUCTION,
    `## Columns\nVersion ${DATASET_VERSION}. One row is one flow, in the order of their start. Up is client to server. At most ${SERIES_STEPS_MAX} packets of a flow are stored (\`--packets\`). Tensors are
byte arrays, little endian: as lists they would take ten times the time and memory of writer and reader. \`?\`: may be null.\n`,
    '| group | column | type | meaning |\n| --- | --- | --- | --- |',
    [...rows, looks].join('\n'),
    '',
    PRIVACY,
    READING,
    MEMORY.trimEnd(),
    '',
  ].join('\n');
}

function typeOf(column: ParquetColumn | undefined): string {
  if (column === undefined) return '';
  const { type, bytes, nullable } = column;
  const text = bytes === undefined ? type : `${bytes} bytes`;
  return `${text}${nullable ? '?' : ''}`;
}

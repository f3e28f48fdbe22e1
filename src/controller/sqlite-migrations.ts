// The tables, version by version. What has been released is never edited: a change is one entry more.

/** Says that a file is ours: "Slce" (https://www.sqlite.org/fileformat2.html#application_id). */
export const APPLICATION_ID = 0x53_6c_63_65;

/** Entry i leads from version i to i + 1 (PRAGMA user_version). */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE admin (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    token_hash BLOB NOT NULL
  ) STRICT;

  CREATE TABLE sites (
    name TEXT PRIMARY KEY,
    token_hash BLOB NOT NULL UNIQUE,
    enrolled_at_ms INTEGER NOT NULL,
    revoked_at_ms INTEGER
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE reports (
    id INTEGER PRIMARY KEY,
    site TEXT NOT NULL REFERENCES sites (name),
    boot TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    start_ms INTEGER NOT NULL,
    end_ms INTEGER NOT NULL,
    received_at_ms INTEGER NOT NULL,
    agent_version TEXT NOT NULL,
    model TEXT NOT NULL,
    UNIQUE (site, boot, sequence)
  ) STRICT;
  CREATE INDEX reports_by_end ON reports (site, end_ms);

  CREATE TABLE class_counts (
    report INTEGER NOT NULL REFERENCES reports (id),
    class TEXT NOT NULL,
    flows INTEGER NOT NULL,
    packets_up INTEGER NOT NULL,
    packets_down INTEGER NOT NULL,
    bytes_up INTEGER NOT NULL,
    bytes_down INTEGER NOT NULL,
    PRIMARY KEY (report, class)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE loss_counts (
    report INTEGER NOT NULL REFERENCES reports (id),
    kind TEXT NOT NULL CHECK (kind IN ('drop', 'lost')),
    reason TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (report, kind, reason)
  ) STRICT, WITHOUT ROWID;

  -- What the list of sites shows, kept with every report: adding it up each time would read the whole database.
  -- flows is REAL, for sums of absurd counters pass what an INTEGER holds.
  CREATE TABLE site_totals (
    site TEXT PRIMARY KEY REFERENCES sites (name),
    last_report_ms INTEGER NOT NULL,
    last_end_ms INTEGER NOT NULL,
    agent_version TEXT NOT NULL,
    model TEXT NOT NULL,
    reports INTEGER NOT NULL,
    flows REAL NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
];

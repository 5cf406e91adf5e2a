-- Times are microseconds since 1970 in UTC, money is micro-dollars, digests are text. A NaN is a NULL in a column of figures that is
-- never left out; infinities are themselves.

CREATE TABLE experiment (
  n       INTEGER PRIMARY KEY,
  name    TEXT NOT NULL UNIQUE,
  created INTEGER NOT NULL,
  deleted INTEGER
) STRICT;

CREATE TABLE run (
  n              INTEGER PRIMARY KEY,
  id             TEXT NOT NULL UNIQUE,
  experiment     INTEGER NOT NULL REFERENCES experiment (n),
  parent         INTEGER REFERENCES run (n),
  name           TEXT NOT NULL,
  status         TEXT NOT NULL CHECK (status IN ('queued', 'running', 'done', 'failed', 'cancelled')),
  failure        TEXT,
  seed           INTEGER,
  note           TEXT NOT NULL DEFAULT '',
  provenance     TEXT NOT NULL,
  git            TEXT,
  dataset_digest TEXT,
  prompt_digest  TEXT,
  model          TEXT NOT NULL,
  created        INTEGER NOT NULL,
  started        INTEGER,
  ended          INTEGER,
  attempt        INTEGER NOT NULL DEFAULT 0,
  lease_until    INTEGER,
  deleted        INTEGER
) STRICT;
CREATE INDEX run_by_experiment ON run (experiment, n);
CREATE INDEX run_by_parent ON run (parent);

CREATE TABLE param (
  run    INTEGER NOT NULL REFERENCES run (n) ON DELETE CASCADE,
  name   TEXT NOT NULL,
  value  TEXT NOT NULL,
  text   TEXT NOT NULL,
  number REAL,
  PRIMARY KEY (run, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE tag (
  run   INTEGER NOT NULL REFERENCES run (n) ON DELETE CASCADE,
  name  TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (run, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE metric (
  n    INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE metric_point (
  run    INTEGER NOT NULL REFERENCES run (n) ON DELETE CASCADE,
  metric INTEGER NOT NULL REFERENCES metric (n),
  step   INTEGER NOT NULL,
  at     INTEGER NOT NULL,
  value  REAL,
  PRIMARY KEY (run, metric, step)
) STRICT, WITHOUT ROWID;

CREATE TABLE latest_metric (
  run    INTEGER NOT NULL REFERENCES run (n) ON DELETE CASCADE,
  metric INTEGER NOT NULL REFERENCES metric (n),
  step   INTEGER NOT NULL,
  at     INTEGER NOT NULL,
  value  REAL,
  least  REAL,
  most   REAL,
  points INTEGER NOT NULL,
  PRIMARY KEY (run, metric)
) STRICT, WITHOUT ROWID;

CREATE TABLE artifact (
  run        INTEGER NOT NULL REFERENCES run (n) ON DELETE CASCADE,
  name       TEXT NOT NULL,
  media_type TEXT NOT NULL,
  digest     TEXT NOT NULL,
  size       INTEGER NOT NULL,
  path       TEXT,
  bytes      BLOB,
  created    INTEGER NOT NULL,
  PRIMARY KEY (run, name),
  CHECK ((path IS NULL) <> (bytes IS NULL))
) STRICT;

CREATE TABLE sample (
  n                 INTEGER PRIMARY KEY,
  run               INTEGER NOT NULL REFERENCES run (n) ON DELETE CASCADE,
  item              TEXT NOT NULL,
  repeat            INTEGER NOT NULL,
  cluster           TEXT,
  stratum           TEXT,
  input_hash        TEXT NOT NULL,
  request_hash      TEXT NOT NULL,
  target_hash       TEXT NOT NULL,
  finish_reason     TEXT,
  prompt_tokens     INTEGER NOT NULL,
  completion_tokens INTEGER NOT NULL,
  cached_tokens     INTEGER NOT NULL,
  cost              INTEGER NOT NULL,
  first_token       INTEGER,
  latency           INTEGER NOT NULL,
  attempts          INTEGER NOT NULL,
  error             TEXT,
  created           INTEGER NOT NULL,
  UNIQUE (run, item, repeat)
) STRICT;

-- What is long stands apart, so that lists and comparisons do not read past it.
CREATE TABLE sample_text (
  sample    INTEGER PRIMARY KEY REFERENCES sample (n) ON DELETE CASCADE,
  input     TEXT NOT NULL,
  target    TEXT,
  output    TEXT NOT NULL,
  extracted TEXT
) STRICT;

CREATE TABLE score (
  n           INTEGER PRIMARY KEY,
  sample      INTEGER NOT NULL REFERENCES sample (n) ON DELETE CASCADE,
  scorer      TEXT NOT NULL,
  version     TEXT NOT NULL,
  status      TEXT NOT NULL CHECK (status IN ('scored', 'unscored', 'failed')),
  value       REAL,
  problem     TEXT,
  explanation TEXT,
  author      TEXT,
  reason      TEXT,
  created     INTEGER NOT NULL,
  withdrawn   INTEGER,
  current     INTEGER NOT NULL
) STRICT;
CREATE INDEX score_by_sample ON score (sample, scorer, n);
CREATE UNIQUE INDEX score_current ON score (sample, scorer) WHERE current = 1;

CREATE TABLE response (
  digest   TEXT PRIMARY KEY,
  response TEXT NOT NULL,
  created  INTEGER NOT NULL,
  expires  INTEGER,
  hits     INTEGER NOT NULL DEFAULT 0,
  last_hit INTEGER
) STRICT;

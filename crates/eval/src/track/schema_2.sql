CREATE TABLE prompt (
  n       INTEGER PRIMARY KEY,
  name    TEXT NOT NULL UNIQUE,
  created INTEGER NOT NULL
) STRICT;

CREATE TABLE prompt_version (
  prompt    INTEGER NOT NULL REFERENCES prompt (n),
  version   INTEGER NOT NULL,
  template  TEXT NOT NULL,
  variables TEXT NOT NULL,
  digest    TEXT NOT NULL,
  message   TEXT NOT NULL,
  author    TEXT NOT NULL,
  created   INTEGER NOT NULL,
  PRIMARY KEY (prompt, version)
) STRICT;
CREATE TRIGGER prompt_version_stays BEFORE UPDATE ON prompt_version
BEGIN SELECT RAISE (ABORT, 'a version of a prompt is never changed'); END;
CREATE TRIGGER prompt_version_is_kept BEFORE DELETE ON prompt_version
BEGIN SELECT RAISE (ABORT, 'a version of a prompt is never removed'); END;

CREATE TABLE prompt_alias (
  prompt  INTEGER NOT NULL,
  alias   TEXT NOT NULL,
  version INTEGER NOT NULL,
  moved   INTEGER NOT NULL,
  PRIMARY KEY (prompt, alias),
  FOREIGN KEY (prompt, version) REFERENCES prompt_version (prompt, version)
) STRICT;

-- On a sample of a run, or on an input and an output that belong to none.
CREATE TABLE feedback (
  n          INTEGER PRIMARY KEY,
  sample     INTEGER REFERENCES sample (n) ON DELETE CASCADE,
  input      TEXT,
  output     TEXT,
  author     TEXT NOT NULL,
  thumb      INTEGER,
  scorer     TEXT,
  score      REAL,
  text       TEXT,
  correction TEXT,
  created    INTEGER NOT NULL,
  cleared    INTEGER,
  CHECK ((sample IS NULL) = (input IS NOT NULL AND output IS NOT NULL))
) STRICT;
CREATE INDEX feedback_by_sample ON feedback (sample);

ALTER TABLE score ADD COLUMN feedback INTEGER REFERENCES feedback (n) ON DELETE CASCADE;

CREATE TABLE queue_item (
  n           INTEGER PRIMARY KEY,
  queue       TEXT NOT NULL,
  sample      INTEGER REFERENCES sample (n) ON DELETE CASCADE,
  input       TEXT,
  output      TEXT,
  state       TEXT NOT NULL CHECK (state IN ('open', 'claimed', 'done', 'skipped')),
  claimed_by  TEXT,
  lease_until INTEGER,
  feedback    INTEGER REFERENCES feedback (n) ON DELETE SET NULL,
  created     INTEGER NOT NULL,
  CHECK ((sample IS NULL) = (input IS NOT NULL AND output IS NOT NULL))
) STRICT;
CREATE INDEX queue_item_by_state ON queue_item (queue, state, n);
CREATE UNIQUE INDEX queue_item_by_sample ON queue_item (queue, sample) WHERE sample IS NOT NULL;

CREATE TABLE dataset_version (
  name    TEXT NOT NULL,
  version INTEGER NOT NULL,
  digest  TEXT NOT NULL,
  items   INTEGER NOT NULL,
  rows    TEXT NOT NULL,
  source  TEXT NOT NULL,
  created INTEGER NOT NULL,
  PRIMARY KEY (name, version)
) STRICT;

CREATE TABLE judge_calibration (
  judge         TEXT NOT NULL,
  version       TEXT NOT NULL,
  labels_digest TEXT NOT NULL,
  figures       TEXT NOT NULL,
  created       INTEGER NOT NULL,
  PRIMARY KEY (judge, version)
) STRICT;

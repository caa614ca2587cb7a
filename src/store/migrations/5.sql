-- What was in the files of the host that mounts show copies of, and the revisions that show them.

CREATE TABLE contents (
  digest TEXT PRIMARY KEY,
  bytes  BLOB NOT NULL
) STRICT;

CREATE TABLE revision_contents (
  pod        TEXT NOT NULL,
  generation INTEGER NOT NULL,
  digest     TEXT NOT NULL REFERENCES contents (digest),
  PRIMARY KEY (pod, generation, digest),
  FOREIGN KEY (pod, generation) REFERENCES revisions (pod, generation) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX revision_contents_digest ON revision_contents (digest);

-- Instances may end because of a probe. A check of a table cannot be changed in place.

CREATE TABLE new_instances (
  id            TEXT PRIMARY KEY,
  pod           TEXT NOT NULL REFERENCES pods (name) ON DELETE CASCADE,
  container     TEXT NOT NULL,
  generation    INTEGER NOT NULL CHECK (generation >= 1),
  attempt       INTEGER NOT NULL CHECK (attempt >= 1),
  streak        INTEGER NOT NULL CHECK (streak >= 0),
  boot          TEXT NOT NULL,
  image         TEXT,
  created_at    INTEGER NOT NULL,

  state         TEXT NOT NULL CHECK (state IN
    ('created', 'running', 'stopped', 'failed', 'removing', 'missing', 'unknown')),
  monitor_pid   INTEGER,
  monitor_start INTEGER,
  process_pid   INTEGER,
  process_start INTEGER,
  started_at    INTEGER,
  exit_reason   TEXT CHECK (exit_reason IN
    ('exited', 'oom', 'probe', 'stopped', 'start-failed', 'host-reboot', 'unknown')),
  exit_detail   TEXT,
  exit_code     INTEGER,
  exit_signal   INTEGER,
  exit_oom      INTEGER NOT NULL CHECK (exit_oom IN (0, 1)),
  finished_at   INTEGER,
  removed       INTEGER NOT NULL CHECK (removed IN (0, 1)),
  notes         TEXT NOT NULL,                     -- JSON: a list of texts

  UNIQUE (pod, container, attempt),
  CHECK ((monitor_pid IS NULL) = (monitor_start IS NULL)),
  CHECK ((process_pid IS NULL) = (process_start IS NULL)),
  CHECK ((exit_detail IS NOT NULL) = (coalesce(exit_reason, '') IN ('probe', 'start-failed'))),
  CHECK (exit_reason IS NOT NULL
    OR (exit_code IS NULL AND exit_signal IS NULL AND NOT exit_oom AND finished_at IS NULL))
) STRICT;
INSERT INTO new_instances SELECT * FROM instances;
DROP TABLE instances;
ALTER TABLE new_instances RENAME TO instances;
CREATE INDEX instances_live ON instances (pod) WHERE NOT removed;

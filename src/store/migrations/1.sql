-- Times are microseconds since the epoch. Columns that hold JSON say so.

CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO meta (key, value) VALUES ('root_uuid', lower(hex(randomblob(16))));

-- What the user wants. A pod that is being deleted keeps its row until its last resource is gone.
CREATE TABLE pods (
  name       TEXT PRIMARY KEY,
  generation INTEGER NOT NULL CHECK (generation >= 1),
  spec       TEXT NOT NULL,                        -- JSON
  images     TEXT NOT NULL,                        -- JSON: container name to manifest digest
  run        TEXT NOT NULL CHECK (run IN ('run', 'stop')),
  deleting   INTEGER NOT NULL CHECK (deleting IN (0, 1)),
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE revisions (
  pod        TEXT NOT NULL REFERENCES pods (name) ON DELETE CASCADE,
  generation INTEGER NOT NULL,
  spec       TEXT NOT NULL,                        -- JSON
  images     TEXT NOT NULL,                        -- JSON
  created_at INTEGER NOT NULL,
  PRIMARY KEY (pod, generation)
) STRICT;

-- One row a life of a container. The first group of columns is the engine's: an observation never
-- overwrites it (generation alone moves, when live changes were applied).
CREATE TABLE instances (
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
    ('exited', 'oom', 'stopped', 'start-failed', 'host-reboot', 'unknown')),
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
  CHECK ((exit_detail IS NOT NULL) = (exit_reason IS 'start-failed')),
  CHECK (exit_reason IS NOT NULL
    OR (exit_code IS NULL AND exit_signal IS NULL AND NOT exit_oom AND finished_at IS NULL))
) STRICT;
CREATE INDEX instances_live ON instances (pod) WHERE NOT removed;

CREATE TABLE leases (
  pod  TEXT PRIMARY KEY REFERENCES pods (name) ON DELETE CASCADE,
  ipv4 TEXT UNIQUE,
  ipv6 TEXT UNIQUE
) STRICT, WITHOUT ROWID;

CREATE TABLE ports (
  pod            TEXT NOT NULL REFERENCES pods (name) ON DELETE CASCADE,
  container      TEXT NOT NULL,
  position       INTEGER NOT NULL,
  address        TEXT,                             -- NULL is every address of the host
  host_port      INTEGER NOT NULL CHECK (host_port BETWEEN 0 AND 65535),
  container_port INTEGER NOT NULL CHECK (container_port BETWEEN 0 AND 65535),
  count          INTEGER NOT NULL CHECK (count >= 1),
  protocol       TEXT NOT NULL CHECK (protocol IN ('tcp', 'udp')),
  PRIMARY KEY (pod, container, position)
) STRICT, WITHOUT ROWID;

-- What is on disk and verified.
CREATE TABLE layers (
  diff_id    TEXT PRIMARY KEY,
  bytes      INTEGER NOT NULL,
  entries    INTEGER NOT NULL,
  state      TEXT NOT NULL CHECK (state IN ('incomplete', 'ready')),
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE manifests (
  digest        TEXT PRIMARY KEY,
  config_digest TEXT NOT NULL,
  config        TEXT NOT NULL,                     -- JSON, byte for byte as its digest says
  platform      TEXT NOT NULL,
  size          INTEGER NOT NULL,
  created       INTEGER
) STRICT;

CREATE TABLE images (
  reference   TEXT PRIMARY KEY,
  manifest    TEXT NOT NULL REFERENCES manifests (digest),
  resolved_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX images_manifest ON images (manifest);

CREATE TABLE image_layers (
  manifest TEXT NOT NULL REFERENCES manifests (digest) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  diff_id  TEXT NOT NULL REFERENCES layers (diff_id),
  PRIMARY KEY (manifest, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX image_layers_diff_id ON image_layers (diff_id);

-- What passes did. Neither refers to pods by key: steps also tear down what has no row any more.
CREATE TABLE passes (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  command     TEXT NOT NULL,
  owner_pid   INTEGER NOT NULL,
  owner_start INTEGER NOT NULL,
  owner_boot  TEXT NOT NULL,
  started_at  INTEGER NOT NULL,
  finished_at INTEGER,
  planned     INTEGER NOT NULL,
  executed    INTEGER,
  failed      INTEGER
) STRICT;

CREATE TABLE journal (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  pass        INTEGER NOT NULL,
  pod         TEXT NOT NULL,
  step        TEXT NOT NULL,
  container   TEXT,
  action      TEXT NOT NULL,
  cause       TEXT NOT NULL,
  state       TEXT NOT NULL CHECK (state IN
    ('started', 'waiting', 'succeeded', 'failed', 'interrupted')),
  error       TEXT,
  started_at  INTEGER NOT NULL,
  finished_at INTEGER,
  CHECK ((state IN ('started', 'waiting')) = (finished_at IS NULL))
) STRICT;
CREATE INDEX journal_open ON journal (pass) WHERE finished_at IS NULL;

CREATE TABLE events (
  id        INTEGER PRIMARY KEY AUTOINCREMENT,
  at        INTEGER NOT NULL,
  pod       TEXT,
  container TEXT,
  instance  TEXT,
  kind      TEXT NOT NULL,
  message   TEXT NOT NULL
) STRICT;
CREATE INDEX events_pod ON events (pod, id);

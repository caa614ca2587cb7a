-- The network of the root, chosen once: addresses of pods outlive their bridge.

CREATE TABLE network (
  only   INTEGER PRIMARY KEY CHECK (only = 1),
  bridge TEXT NOT NULL,
  ipv4   TEXT NOT NULL,
  ipv6   TEXT                                      -- NULL: pods have no IPv6
) STRICT;

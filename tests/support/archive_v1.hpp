// The tables of a version 1 archive as released, frozen: what an upgrade starts from.
#pragma once

namespace tideline::test {

inline constexpr const char* archive_v1_schema = R"sql(
CREATE TABLE setting(
  key TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
);
CREATE TABLE device(
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  certificate TEXT NOT NULL,
  enrolled_ns INTEGER NOT NULL,
  revoked INTEGER NOT NULL,
  last_seen_ns INTEGER NOT NULL,
  agent_version TEXT NOT NULL
);
CREATE TABLE device_label(
  device INTEGER NOT NULL REFERENCES device(id),
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY(device, name)
) WITHOUT ROWID;
CREATE TABLE token(
  hash TEXT NOT NULL PRIMARY KEY,
  device TEXT NOT NULL,
  expires_ns INTEGER NOT NULL,
  used_ns INTEGER NOT NULL
);
CREATE TABLE epoch(
  id INTEGER PRIMARY KEY,
  device INTEGER NOT NULL REFERENCES device(id),
  name TEXT NOT NULL,
  incarnation INTEGER NOT NULL,
  UNIQUE(device, name)
);
CREATE TABLE series(
  epoch INTEGER NOT NULL REFERENCES epoch(id),
  incarnation INTEGER NOT NULL,
  id INTEGER NOT NULL,
  name TEXT NOT NULL,
  labels TEXT NOT NULL,
  unit TEXT NOT NULL,
  kind INTEGER NOT NULL,
  stream INTEGER NOT NULL,
  PRIMARY KEY(epoch, incarnation, id)
) WITHOUT ROWID;
CREATE TABLE run(
  epoch INTEGER NOT NULL REFERENCES epoch(id),
  run INTEGER NOT NULL,
  place INTEGER NOT NULL,
  first_critical INTEGER NOT NULL,
  first_normal INTEGER NOT NULL,
  first_bulk INTEGER NOT NULL,
  highest_critical INTEGER NOT NULL,
  highest_normal INTEGER NOT NULL,
  highest_bulk INTEGER NOT NULL,
  PRIMARY KEY(epoch, run)
) WITHOUT ROWID;
CREATE TABLE held(
  epoch INTEGER NOT NULL REFERENCES epoch(id),
  stream INTEGER NOT NULL,
  first INTEGER NOT NULL,
  last INTEGER NOT NULL,
  PRIMARY KEY(epoch, stream, first)
) WITHOUT ROWID;
CREATE TABLE span(
  epoch INTEGER NOT NULL REFERENCES epoch(id),
  stream INTEGER NOT NULL,
  span_ns INTEGER NOT NULL,
  PRIMARY KEY(epoch, stream)
) WITHOUT ROWID;
CREATE TABLE gap(
  epoch INTEGER NOT NULL REFERENCES epoch(id),
  stream INTEGER NOT NULL,
  first INTEGER NOT NULL,
  last INTEGER NOT NULL,
  count INTEGER NOT NULL,
  reason INTEGER NOT NULL,
  at_least INTEGER NOT NULL,
  from_ns INTEGER NOT NULL,
  to_ns INTEGER NOT NULL,
  declared_ns INTEGER NOT NULL,
  PRIMARY KEY(epoch, stream, first, last)
) WITHOUT ROWID;
CREATE TABLE anchor(
  epoch INTEGER NOT NULL REFERENCES epoch(id),
  boot INTEGER NOT NULL,
  place INTEGER NOT NULL,
  mono_ns INTEGER NOT NULL,
  utc_ns INTEGER NOT NULL,
  error_ns INTEGER NOT NULL,
  quality INTEGER NOT NULL,
  PRIMARY KEY(epoch, boot)
) WITHOUT ROWID;
CREATE TABLE latest(
  epoch INTEGER NOT NULL REFERENCES epoch(id),
  incarnation INTEGER NOT NULL,
  series INTEGER NOT NULL,
  time_ns INTEGER NOT NULL,
  type INTEGER NOT NULL,
  bits INTEGER NOT NULL,
  text TEXT NOT NULL,
  quality INTEGER NOT NULL,
  boot INTEGER NOT NULL,
  PRIMARY KEY(epoch, incarnation, series)
) WITHOUT ROWID;
CREATE TABLE block(
  id INTEGER PRIMARY KEY,
  epoch INTEGER NOT NULL REFERENCES epoch(id),
  stream INTEGER NOT NULL,
  first INTEGER NOT NULL,
  count INTEGER NOT NULL,
  incarnation INTEGER NOT NULL,
  boot INTEGER NOT NULL,
  quality INTEGER NOT NULL,
  shift_ns INTEGER NOT NULL,
  time_min_ns INTEGER NOT NULL,
  time_max_ns INTEGER NOT NULL,
  data BLOB NOT NULL
);
CREATE UNIQUE INDEX block_seq ON block(epoch, stream, first);
CREATE INDEX block_time ON block(epoch, stream, time_max_ns, first);
CREATE INDEX block_untimed ON block(epoch, boot) WHERE quality < 4;
PRAGMA application_id = 1415858274;
PRAGMA user_version = 1;
)sql";

}  // namespace tideline::test

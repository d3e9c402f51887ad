// Tables of the embedded archive. A change raises archive_schema_version and adds a step below; what was released does not change. A new
// archive goes through the same steps as an old one.
//
// Numbers that are unsigned in the program (sequence, run, boot) are stored as the signed integer with the same bits; sequence
// numbers above 2^63 - 1 are refused at intake, so they sort.
//
// context is an ordinary rowid table because its values may be large. block is one on purpose: appended at its end, with two small indexes beside it. As WITHOUT ROWID with
// (epoch, stream, first) as key it took twice the processor time and 1.4 times the file (src/DECISIONS.md).
#pragma once

#include <cstdint>

namespace tideline::hub {

/// "TdHb", in the header of the file: tells an archive from any other database (sqlite.org/pragma.html#pragma_application_id).
inline constexpr int64_t archive_application_id = 0x54644862;
inline constexpr int64_t archive_schema_version = 3;

/// Version 1.
inline constexpr const char* archive_schema = R"sql(
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
)sql";

/// From version i + 1 to i + 2.
inline constexpr const char* archive_steps[] = {
                                                R"sql(
CREATE TABLE api_key(
  id TEXT NOT NULL PRIMARY KEY,
  hash TEXT NOT NULL,
  name TEXT NOT NULL,
  role INTEGER NOT NULL,
  devices TEXT NOT NULL,
  created_ns INTEGER NOT NULL,
  expires_ns INTEGER NOT NULL,
  revoked_ns INTEGER NOT NULL
);
CREATE TABLE audit(
  id INTEGER PRIMARY KEY,
  time_ns INTEGER NOT NULL,
  principal TEXT NOT NULL,
  device TEXT NOT NULL,
  method TEXT NOT NULL,
  target TEXT NOT NULL,
  arguments_digest TEXT NOT NULL,
  outcome TEXT NOT NULL,
  duration_us INTEGER NOT NULL,
  trace TEXT NOT NULL,
  chain TEXT NOT NULL
);
CREATE INDEX audit_time ON audit(time_ns, id);
CREATE INDEX audit_principal ON audit(principal, time_ns, id);
CREATE INDEX audit_device ON audit(device, time_ns, id);
CREATE TABLE task(
  id TEXT NOT NULL PRIMARY KEY,
  principal TEXT NOT NULL,
  device TEXT NOT NULL,
  tool TEXT NOT NULL,
  arguments TEXT NOT NULL,
  meta TEXT NOT NULL,
  capabilities TEXT NOT NULL,
  state INTEGER NOT NULL,
  sent_epoch TEXT NOT NULL,
  status_message TEXT NOT NULL,
  result TEXT NOT NULL,
  error TEXT NOT NULL,
  is_idempotent INTEGER NOT NULL,
  created_ns INTEGER NOT NULL,
  updated_ns INTEGER NOT NULL,
  expires_ns INTEGER NOT NULL,
  keep_until_ns INTEGER NOT NULL,
  bytes INTEGER NOT NULL
);
CREATE INDEX task_open ON task(device, principal) WHERE state < 2;
CREATE INDEX task_principal ON task(principal, created_ns);
CREATE INDEX task_keep ON task(keep_until_ns, state, bytes);
CREATE TABLE catalog(
  digest TEXT NOT NULL PRIMARY KEY,
  hash INTEGER NOT NULL,
  content TEXT NOT NULL
);
CREATE TABLE device_catalog(
  device INTEGER NOT NULL PRIMARY KEY REFERENCES device(id),
  digest TEXT NOT NULL REFERENCES catalog(digest)
);
CREATE INDEX device_catalog_digest ON device_catalog(digest);
)sql",
                                                R"sql(
CREATE TABLE context(
  id INTEGER PRIMARY KEY,
  device INTEGER NOT NULL REFERENCES device(id),
  path TEXT NOT NULL,
  side INTEGER NOT NULL,
  stamp INTEGER NOT NULL,
  seen INTEGER NOT NULL,
  deleted INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,
  delivered_ns INTEGER NOT NULL,
  author TEXT NOT NULL,
  value TEXT NOT NULL
);
CREATE UNIQUE INDEX context_entry ON context(device, path, side);
CREATE INDEX context_order ON context(device, side, stamp);
CREATE INDEX context_expiry ON context(expires_ms) WHERE side = 1 AND expires_ms > 0;
CREATE TABLE context_history(
  id INTEGER PRIMARY KEY,
  device INTEGER NOT NULL REFERENCES device(id),
  path TEXT NOT NULL,
  stamp INTEGER NOT NULL,
  side INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  seen INTEGER NOT NULL,
  deleted INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,
  author TEXT NOT NULL,
  value TEXT NOT NULL
);
CREATE INDEX context_history_entry ON context_history(device, path, stamp);
CREATE INDEX context_history_order ON context_history(device, stamp);
CREATE TABLE context_state(
  device INTEGER NOT NULL PRIMARY KEY REFERENCES device(id),
  top_device INTEGER NOT NULL,
  top_hub INTEGER NOT NULL,
  digest INTEGER NOT NULL,
  entries INTEGER NOT NULL,
  tombstones INTEGER NOT NULL,
  conflicts INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  history_bytes INTEGER NOT NULL,
  clock INTEGER NOT NULL,
  holds_device INTEGER NOT NULL,
  holds_hub INTEGER NOT NULL,
  delivered_ns INTEGER NOT NULL
);
CREATE TABLE context_declarations(
  device INTEGER NOT NULL PRIMARY KEY REFERENCES device(id),
  content TEXT NOT NULL
);
)sql"};
static_assert(sizeof(archive_steps) / sizeof(archive_steps[0]) == archive_schema_version - 1);

}  // namespace tideline::hub

// What the step from version 1 made of an archive, as released, frozen: with archive_v1.hpp what an upgrade from version 2 starts from.
#pragma once

namespace tideline::test {

inline constexpr const char* archive_v2_step = R"sql(
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
)sql";

}  // namespace tideline::test

// The archive's directory: devices, enrolment tokens, settings. Devices are also held in memory, because every question looks
// at all of them (bounded by limits::hub_devices, about 0.3 KB each).
//
// Part of SqliteArchive. Thread: store. Each put is one transaction, durable on return.
#pragma once

#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "hub/store/archive.hpp"
#include "wrap/sqlite/database.hpp"

namespace tideline::hub {

class ArchiveDevices {
 public:
  /// `database` outlives this.
  explicit ArchiveDevices(sqlite::Database& database) : database_(database) {}
  /// Prepares statements and loads the directory.
  Status open();

  const std::vector<DeviceRecord>& all() const { return devices_; }
  const DeviceRecord* find(const std::string& id) const;
  /// Those whose ids can match, in the order of ids; valid until the next change.
  std::span<const DeviceRecord> candidates(const model::DeviceSelector& selector) const;
  bool contains(DeviceKey key) const { return by_key_.count(key) != 0; }
  Result<DeviceRecord> put(const DeviceRecord& record);
  Status touch(DeviceKey key, int64_t last_seen_ns, const std::string& agent_version);
  Status touch_all(const std::vector<DeviceTouch>& touches);

  Status put_token(const Token& token);
  Result<std::vector<Token>> tokens();
  Result<Token> use_token(const std::string& hash, const std::string& device, int64_t now_ns);

  Result<std::string> setting(const std::string& key);
  Status set_setting(const std::string& key, const std::string& value);

 private:
  Status load();
  void remember(const DeviceRecord& record);

  sqlite::Database& database_;
  sqlite::Statement insert_device_;
  sqlite::Statement update_device_;
  sqlite::Statement touch_device_;
  sqlite::Statement delete_labels_;
  sqlite::Statement insert_label_;
  sqlite::Statement put_token_;
  sqlite::Statement select_tokens_;
  sqlite::Statement select_token_;
  sqlite::Statement use_token_;
  sqlite::Statement select_setting_;
  sqlite::Statement put_setting_;
  std::vector<DeviceRecord> devices_;                  // by id
  std::unordered_map<DeviceKey, std::string> by_key_;
};

/// Letters a-z, digits, '.', '_', '-'; 1 to limits::device_id_bytes; begins with a letter or digit.
bool is_device_id(std::string_view id);

}  // namespace tideline::hub

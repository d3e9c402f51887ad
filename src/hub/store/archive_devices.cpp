#include "hub/store/archive_devices.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "hub/store/archive_sql.hpp"

namespace tideline::hub {
namespace {

Token read_token(const sqlite::Statement& row) {
  return {std::string(row.text(0)), std::string(row.text(1)), row.integer(2), row.integer(3)};
}

}  // namespace

bool is_device_id(std::string_view id) {
  const auto is_word = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !id.empty() && id.size() <= limits::device_id_bytes && is_word(id[0]) &&
         std::all_of(id.begin(), id.end(), [&](char c) { return is_word(c) || c == '.' || c == '_' || c == '-'; });
}

Status ArchiveDevices::open() {
  RETURN_IF_ERROR(prepare_all(
      database_,
      {
          // id is given by SQLite; 0 rows deleted ever, so keys are not used twice
          {insert_device_, "INSERT INTO device(certificate, enrolled_ns, revoked, last_seen_ns, agent_version, name) VALUES(?, ?, ?, ?, ?, ?) RETURNING id"},
          // index: unique name
          {update_device_, "UPDATE device SET certificate = ?, enrolled_ns = ?, revoked = ?, last_seen_ns = ?, agent_version = ? WHERE name = ? RETURNING id"},
          // index: primary key
          {touch_device_, "UPDATE device SET last_seen_ns = ?, agent_version = ? WHERE id = ?"},
          // index: primary key (device, name)
          {delete_labels_, "DELETE FROM device_label WHERE device = ?"},
          {insert_label_, "INSERT INTO device_label(device, name, value) VALUES(?, ?, ?)"},
          // index: primary key
          {put_token_, "INSERT INTO token(hash, device, expires_ns, used_ns) VALUES(?, ?, ?, ?) ON CONFLICT(hash) DO NOTHING"},
          // whole table: an operator's list
          {select_tokens_, "SELECT hash, device, expires_ns, used_ns FROM token ORDER BY expires_ns, hash"},
          // index: primary key
          {select_token_, "SELECT hash, device, expires_ns, used_ns FROM token WHERE hash = ?"},
          {use_token_, "UPDATE token SET used_ns = ? WHERE hash = ?"},
          {select_setting_, "SELECT value FROM setting WHERE key = ?"},
          {put_setting_, "INSERT INTO setting(key, value) VALUES(?, ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value"},
      }));
  return load();
}

Status ArchiveDevices::load() {
  // Whole tables, once per start.
  ASSIGN_OR_RETURN(sqlite::Statement rows,
                   database_.prepare("SELECT id, name, certificate, enrolled_ns, revoked, last_seen_ns, agent_version FROM device ORDER BY name"));
  std::unordered_map<DeviceKey, size_t> places;
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, rows.step());
    if (!more) break;
    DeviceRecord record;
    record.key = rows.integer(0);
    record.id = rows.text(1);
    record.certificate_fingerprint = rows.text(2);
    record.enrolled_ns = rows.integer(3);
    record.revoked = rows.integer(4) != 0;
    record.last_seen_ns = rows.integer(5);
    record.agent_version = rows.text(6);
    places.emplace(record.key, devices_.size());
    by_key_.emplace(record.key, record.id);
    devices_.push_back(std::move(record));
  }
  ASSIGN_OR_RETURN(sqlite::Statement labels, database_.prepare("SELECT device, name, value FROM device_label ORDER BY device, name"));
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, labels.step());
    if (!more) return {};
    const auto place = places.find(labels.integer(0));
    if (place != places.end()) devices_[place->second].labels.emplace_back(labels.text(1), labels.text(2));
  }
}

const DeviceRecord* ArchiveDevices::find(const std::string& id) const {
  const auto at = std::lower_bound(devices_.begin(), devices_.end(), id, [](const DeviceRecord& record, const std::string& wanted) { return record.id < wanted; });
  return at != devices_.end() && at->id == id ? &*at : nullptr;
}

std::span<const DeviceRecord> ArchiveDevices::candidates(const model::DeviceSelector& selector) const {
  const model::DeviceSelector::IdRange range = selector.id_range();
  const auto begin = std::lower_bound(devices_.begin(), devices_.end(), range.begin, [](const DeviceRecord& record, std::string_view wanted) { return record.id < wanted; });
  return {begin, std::partition_point(begin, devices_.end(), [&](const DeviceRecord& record) { return range.contains(record.id); })};
}

Result<DeviceRecord> ArchiveDevices::put(const DeviceRecord& record) {
  if (!is_device_id(record.id)) return Error{ErrorCode::invalid, 0, "device id: use 1 to 64 of a-z 0-9 . _ -, beginning with a letter or digit"};
  if (record.labels.size() > limits::labels) return Error{ErrorCode::limit, 0, "device has more than 16 labels"};
  const DeviceRecord* known = find(record.id);
  if (known == nullptr && devices_.size() >= limits::hub_devices) return Error{ErrorCode::limit, 0, "hub has 20000 devices already"};
  DeviceRecord stored = record;
  std::sort(stored.labels.begin(), stored.labels.end());
  const auto same_name = [](const auto& a, const auto& b) { return a.first == b.first; };
  if (std::adjacent_find(stored.labels.begin(), stored.labels.end(), same_name) != stored.labels.end()) {
    return Error{ErrorCode::invalid, 0, "device has one label twice"};
  }
  ASSIGN_OR_RETURN(sqlite::Transaction transaction, sqlite::Transaction::begin(database_));
  {
    sqlite::Statement& write = known != nullptr ? update_device_ : insert_device_;
    write.bind(1, stored.certificate_fingerprint).bind(2, stored.enrolled_ns).bind(3, int64_t{stored.revoked}).bind(4, stored.last_seen_ns);
    write.bind(5, stored.agent_version).bind(6, stored.id);
    Rows rows(write);
    ASSIGN_OR_RETURN(const bool row, rows.next());
    if (!row) return Error{ErrorCode::corrupt, 0, "device row vanished"};
    stored.key = write.integer(0);
  }
  RETURN_IF_ERROR(delete_labels_.bind(1, stored.key).run());
  for (const auto& [name, value] : stored.labels) RETURN_IF_ERROR(insert_label_.bind(1, stored.key).bind(2, name).bind(3, value).run());
  RETURN_IF_ERROR(transaction.commit());
  remember(stored);
  return stored;
}

void ArchiveDevices::remember(const DeviceRecord& record) {
  const auto at = std::lower_bound(devices_.begin(), devices_.end(), record.id, [](const DeviceRecord& known, const std::string& id) { return known.id < id; });
  if (at != devices_.end() && at->id == record.id) {
    *at = record;
  } else {
    devices_.insert(at, record);
  }
  by_key_[record.key] = record.id;
}

Status ArchiveDevices::touch(DeviceKey key, int64_t last_seen_ns, const std::string& agent_version) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return Error{ErrorCode::not_found, 0, "device"};
  RETURN_IF_ERROR(touch_device_.bind(1, last_seen_ns).bind(2, agent_version).bind(3, key).run());
  DeviceRecord record = *find(found->second);
  record.last_seen_ns = last_seen_ns;
  record.agent_version = agent_version;
  remember(record);
  return {};
}

Status ArchiveDevices::touch_all(const std::vector<DeviceTouch>& touches) {
  ASSIGN_OR_RETURN(sqlite::Transaction transaction, sqlite::Transaction::begin(database_));
  for (const DeviceTouch& seen : touches) {
    if (by_key_.contains(seen.device)) RETURN_IF_ERROR(touch(seen.device, seen.last_seen_ns, seen.agent_version));
  }
  return transaction.commit();
}

Status ArchiveDevices::put_token(const Token& token) {
  RETURN_IF_ERROR(put_token_.bind(1, token.hash).bind(2, token.device).bind(3, token.expires_ns).bind(4, token.used_ns).run());
  if (database_.changes() == 0) return Error{ErrorCode::exists, 0, "token"};
  return {};
}

Result<std::vector<Token>> ArchiveDevices::tokens() {
  std::vector<Token> all;
  Rows rows(select_tokens_);
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, rows.next());
    if (!more) return all;
    all.push_back(read_token(select_tokens_));
  }
}

Result<Token> ArchiveDevices::use_token(const std::string& hash, const std::string& device, int64_t now_ns) {
  ASSIGN_OR_RETURN(sqlite::Transaction transaction, sqlite::Transaction::begin(database_));
  Token token;
  {
    select_token_.bind(1, hash);
    Rows rows(select_token_);
    ASSIGN_OR_RETURN(const bool known, rows.next());
    if (!known) return Error{ErrorCode::denied, 0, "token is not known"};
    token = read_token(select_token_);
  }
  if (token.device != device) return Error{ErrorCode::denied, 0, "token is for another device"};
  if (token.used_ns != 0) return Error{ErrorCode::exists, 0, "token was used already"};
  if (token.expires_ns <= now_ns) return Error{ErrorCode::timeout, 0, "token has expired"};
  token.used_ns = now_ns;
  RETURN_IF_ERROR(use_token_.bind(1, now_ns).bind(2, hash).run());
  RETURN_IF_ERROR(transaction.commit());
  return token;
}

Result<std::string> ArchiveDevices::setting(const std::string& key) {
  select_setting_.bind(1, key);
  Rows rows(select_setting_);
  ASSIGN_OR_RETURN(const bool known, rows.next());
  if (!known) return Error{ErrorCode::not_found, 0, "setting"};
  return std::string(select_setting_.text(0));
}

Status ArchiveDevices::set_setting(const std::string& key, const std::string& value) {
  return put_setting_.bind(1, key).bind(2, value).run();
}

}  // namespace tideline::hub

// What the hub keeps for its MCP side: keys of clients, the audit, tasks, catalogs of devices. Plain values, any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tideline::hub {

/// What a caller may do. Stored: never renumber.
enum class Role : uint8_t {
  viewer = 0,     ///< calls tools that only read
  operator_ = 1,  ///< calls every tool
  admin = 2,      ///< and manages keys and devices, where a tool does that
};
const char* role_name(Role role);  // "operator"
bool parse_role(std::string_view text, Role& out);

/// Proved by its secret; revoked ones stay, so that the audit can name them.
struct ApiKey {
  std::string id;         ///< public: stands in the key, in lists and in the audit
  std::string hash;       ///< SHA-256 of the secret, hexadecimal
  std::string name;       ///< for people
  Role role = Role::viewer;
  std::string devices;    ///< device selector, "" for all
  int64_t created_ns = 0; ///< UTC, like all times here
  int64_t expires_ns = 0; ///< 0: never
  int64_t revoked_ns = 0; ///< 0: not
};

/// One call, after it ended. Texts beyond limits::audit_text_bytes are cut.
struct AuditRow {
  int64_t id = 0;                ///< given by the archive, ascending without holes
  int64_t time_ns = 0;
  std::string principal;
  std::string device;            ///< "" for the fleet
  std::string method;
  std::string target;
  std::string arguments_digest;  ///< so that the same call can be recognised; the arguments themselves are not kept
  std::string outcome;           ///< "ok", "tool_error", "error -32602", "denied", "queued", "cancelled", "timeout"
  int64_t duration_us = 0;
  std::string trace;             ///< traceparent
  std::string chain;             ///< given by the archive: SHA-256 over the chain of the row before and this row, hexadecimal
};

struct AuditFilter {
  int64_t from_ns = INT64_MIN;   ///< inclusive
  int64_t to_ns = INT64_MAX;     ///< exclusive
  std::string principal;         ///< exactly; "" for all
  std::string device;            ///< exactly; "" for all
  size_t limit = 100;
};

/// Stored: never renumber. The first two are open.
enum class TaskState : uint8_t { queued = 0, sent = 1, done = 2, failed = 3, cancelled = 4, expired = 5, unknown = 6 };
inline bool is_open(TaskState state) { return state == TaskState::queued || state == TaskState::sent; }

/// A call that waits for its device, or its result.
struct TaskRecord {
  std::string id;
  std::string principal;
  std::string device;
  std::string tool;
  std::string arguments_json;
  std::string meta_json;
  std::string capabilities_json;
  TaskState state = TaskState::queued;
  std::string sent_epoch;       ///< "epoch/incarnation" of the device when it was first sent; "" before
  std::string status_message;
  std::string result_json;      ///< of `done`
  std::string error_json;       ///< of `failed`
  bool is_idempotent = false;
  int64_t created_ns = 0;
  int64_t updated_ns = 0;
  int64_t expires_ns = 0;       ///< not begun by then: not run any more
  int64_t keep_until_ns = 0;    ///< once it is closed
};

}  // namespace tideline::hub

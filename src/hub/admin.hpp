// Commands that change the archive (`token create`, `device revoke`, `key create`), as values: one request, one answer, one line of JSON each way.
// A command runs them in its own process when no hub runs, else the hub runs them on its store thread, because only one process
// may write (SQLite before 3.51.3 can corrupt a WAL that two connections checkpoint).
//
// Plain values; execute_admin() on the store thread. Bounds: limits::admin_line_bytes.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/time.hpp"
#include "hub/store/archive.hpp"

namespace tideline::hub {

struct AdminRequest {
  std::string command;  ///< "token create", "device revoke", "key create", "key revoke"; "online" is answered by the hub's loop
  std::map<std::string, std::string> arguments;
  std::string argument(const std::string& name) const;
};

struct AdminAnswer {
  int exit_code = 0;
  std::string error;          ///< for people when exit_code is not 0
  std::string result = "{}";  ///< one JSON object
  bool keys_changed = false;  ///< a running hub loads API keys anew; does not travel
};
/// For people, with the exit code of the command.
AdminAnswer refuse_admin(int exit_code, std::string text);
AdminAnswer archive_failed(const Error& error);

std::string encode_admin(const AdminRequest& request);
std::string encode_admin(const AdminAnswer& answer);
/// Errors: invalid.
Result<AdminRequest> decode_admin_request(std::string_view line);
Result<AdminAnswer> decode_admin_answer(std::string_view line);

AdminAnswer execute_admin(Archive& archive, const AdminRequest& request, UtcNanos now);

/// "site=berlin,line=3" as sorted labels. Errors: invalid, limit; the context says what is wrong.
Result<std::vector<std::pair<std::string, std::string>>> parse_labels(std::string_view text);

}  // namespace tideline::hub

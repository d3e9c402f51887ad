// What can be done with the context by name: get, set, delete, list. The same for MCP tools and for the commands of the command line:
// arguments as JSON in, an answer for programs and people out.
//
// Owned by Agent or a command. Thread: loop. Nothing durable of its own. Bounds: the keeper's; list_bytes of one list.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "agent/gateway/context_keeper.hpp"
#include "mcp/json_slice.hpp"

namespace tideline::agent {

struct ContextAnswer {
  bool is_done = true;
  ErrorCode code = ErrorCode::invalid;  ///< when it is not
  std::string text;                     ///< for people; when it is not done why, and what to do
  std::string json;                     ///< an object, when it is done
};

class ContextCommands {
 public:
  static constexpr size_t list_bytes = 256 * 1024;
  static constexpr size_t list_most = 1000;
  static constexpr size_t list_otherwise = 100;
  using Done = std::function<void(const ContextAnswer&)>;

  explicit ContextCommands(ContextKeeper& keeper) : keeper_(keeper) {}

  /// `command` without "context_". `who` goes into the author. Answers now or later. False: no such command.
  bool run(std::string_view command, mcp::Slice arguments, const std::string& who, Done done);
  /// The answer to list.
  ContextAnswer list(mcp::Slice arguments) const;
  /// The entry as get shows it.
  std::string entry_json(std::string_view path) const;

 private:
  void get(mcp::Slice arguments, Done done);
  void set(mcp::Slice arguments, const std::string& who, Done done);
  void erase(mcp::Slice arguments, const std::string& who, Done done);
  void change(context::Change change, Done done);

  ContextKeeper& keeper_;
};

}  // namespace tideline::agent

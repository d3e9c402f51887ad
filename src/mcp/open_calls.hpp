// The requests one peer has under way at a Server. Plain table, linear: the bound is small (limits::mcp_in_flight). One owner; pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "mcp/handler.hpp"

namespace tideline::mcp {

struct OpenCall {
  CallToken token = 0;
  std::string id;  ///< raw JSON
  Method method = Method::unknown;
  Revision revision = newest_modern;
  std::string target;
  ClientCapabilities capabilities;
  std::string progress_token;  ///< raw JSON; empty: none wanted
  std::optional<double> progress;
  Instant progressed_at;
  std::optional<Severity> log_level;
  uint32_t batch = 0;          ///< 0: answered on its own
  Instant deadline = never;
  bool is_relayed = false;
  std::string params;          ///< kept while the call may still ask; empty: it may not

  // A question to a legacy client, as requests of ours.
  size_t awaited = 0;          ///< answers still missing
  std::string answers;         ///< members of inputResponses
  std::string state;           ///< what the handler gets back
  int rounds = 0;
};

class OpenCalls {
 public:
  bool is_full() const;
  size_t size() const { return calls_.size(); }
  /// A token for something else that has a stream of its own.
  CallToken next_token() { return ++last_token_; }
  /// Gives the call its token. The reference is valid until the next change of the table.
  OpenCall& add(OpenCall call);
  OpenCall* find(CallToken token);
  OpenCall* find_id(std::string_view id);
  void remove(CallToken token);
  /// A call whose deadline is not after `now`, or null.
  OpenCall* find_expired(Instant now);
  Instant next_deadline() const;
  std::vector<OpenCall> take_all();

 private:
  std::vector<OpenCall> calls_;
  CallToken last_token_ = 0;
};

}  // namespace tideline::mcp

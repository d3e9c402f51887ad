// What stands behind a Server: the program's handler, the way out, and the seal on state given to clients.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "mcp/envelope.hpp"
#include "mcp/method.hpp"

namespace tideline::mcp {

/// Names one request under way at one Server; never used twice.
using CallToken = uint64_t;

/// A checked request for the handler. Views live as long as on_call() runs.
struct Call {
  CallToken token = 0;
  Method method = Method::unknown;     ///< tools/call, resources/read, prompts/get, completion/complete or tasks/*
  Revision revision = newest_modern;
  std::string_view target;             ///< tool or prompt name, URI, task id; of a completion the name or URI of its ref
  Slice arguments;                     ///< of tools/call and prompts/get: an object, or absent
  Slice params;                        ///< all of it, as sent
  Slice meta;                          ///< params._meta; passing_meta() makes what may go to another hop
  ClientCapabilities capabilities;
  std::string_view capabilities_json;  ///< as declared; empty in a legacy session
  Slice input_responses;               ///< answers to an earlier question, also of tasks/update: an object, or absent
  std::string_view state;              ///< the state given with that question, opened; of relayed targets as sent
  bool wants_progress = false;
  std::optional<Severity> log_level;
  std::string_view principal;          ///< who calls (ServerOptions::principal): what outlives the call is shown to nobody else
};

/// Events of a Server. Answers go to Server::reply(), fail() or ask() with the token, at once or later.
class Handler {
 public:
  virtual ~Handler() = default;
  virtual void on_call(const Call& call) = 0;
  /// The client gave up or the time is over: stop the work; nothing sent for this token goes out any more.
  virtual void on_cancel(CallToken token) = 0;
  /// The first watcher of a URI on this stream came, or the last one left.
  virtual void on_watch(std::string_view uri, bool is_watched) = 0;
};

/// A line to write, without its newline.
struct Outgoing {
  std::string line;
  CallToken stream = 0;    ///< the request on whose HTTP stream it belongs; 0: no particular one
  bool is_answer = false;  ///< the last line of that stream
  int error_code = 0;      ///< JSON-RPC code when it is an error
};

class Output {
 public:
  virtual ~Output() = default;
  virtual void on_outgoing(Outgoing outgoing) = 0;
};

/// Protects state that a client holds for us: authenticated, bound to a context, short-lived. The implementation owns key and clock.
class Sealer {
 public:
  virtual ~Sealer() = default;
  virtual std::string seal(std::string_view state, std::string_view context) = 0;
  /// Errors: denied (wrong seal or context), timeout (too old).
  virtual Result<std::string> open(std::string_view sealed, std::string_view context) = 0;
};

/// One thing to ask the client for.
struct InputRequest {
  std::string key;
  Method method = Method::elicit;  ///< elicit, create_message or list_roots
  std::string params_json = "{}";
};
struct Question {
  std::vector<InputRequest> requests;
  std::string state;  ///< comes back in Call::state
};

struct Progress {
  double done = 0;
  std::optional<double> total{};
  std::string_view text{};
};

}  // namespace tideline::mcp

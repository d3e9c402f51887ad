// The server side of MCP on one stream: a stdio process, a socket connection, or one HTTP POST. Both eras, decided per message.
// Lines go in, lines come out through Output; the program's work happens in Handler.
//
// Owner: the stream. Thread: that of its owner. Nothing survives a crash; tasks that must are the handler's.
// Bounds: limits::mcp_*. The catalog, handler, output and sealer outlive the server; none of them may destroy it from a callback.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.hpp"
#include "mcp/batches.hpp"
#include "mcp/catalog.hpp"
#include "mcp/handler.hpp"
#include "mcp/message.hpp"
#include "mcp/open_calls.hpp"
#include "mcp/task.hpp"
#include "mcp/watches.hpp"

namespace tideline::mcp {

/// What was agreed with a legacy client.
struct LegacySession {
  Revision revision = newest_legacy;
  ClientCapabilities capabilities{};
  Severity log_level = Severity::info;
  bool is_initialized = false;  ///< notifications/initialized came: unsolicited notifications may go out
};

struct ServerOptions {
  std::string name;
  std::string version;
  std::string title{};
  std::string instructions{};
  // What is offered; the rest answers "method not found".
  bool tools = true;
  bool resources = false;
  bool prompts = false;
  bool completions = false;
  bool logging = false;
  bool tasks = false;
  /// Over HTTP a closed response cancels, so the end of a listen is not also announced as a cancellation.
  bool is_http = false;
  /// A session agreed elsewhere: for HTTP, where each POST is a stream of its own.
  std::optional<LegacySession> session{};
  /// Ids of tasks whose changes announce_task() tells start with this: a listen is granted no others.
  std::string announced_tasks{};
  std::string principal{};           ///< who calls; state is sealed for nobody else
  std::string request_prefix = "t";  ///< starts the ids of our own requests; different for streams that share a session
  Duration call_timeout = limits::mcp_call_timeout;
};

class Server {
 public:
  struct Counters {
    uint64_t requests = 0;
    uint64_t invalid = 0;         ///< lines answered as malformed
    uint64_t stray = 0;           ///< responses nobody waits for
    uint64_t dropped_progress = 0;
  };

  /// `sealer` may be null: then state goes out as the handler gave it.
  Server(ServerOptions options, const Catalog& catalog, Handler& handler, Output& output, Sealer* sealer);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Input
  void on_line(std::string_view line, Instant now);
  void on_message(const Message& message, Instant now);
  /// A line over the bound was passed over (LineBuffer).
  void on_long_line();
  /// The peer is gone: cancels all work. Nothing is sent.
  void on_close();
  /// Call at next_deadline() or later.
  void on_timer(Instant now);
  Instant next_deadline() const { return calls_.next_deadline(); }

  // Answers. False when the call is over (cancelled, timed out, answered): a normal thing, the answer is dropped.
  /// `result_json` is the body of the method's result; one that says resultType input_required or task is passed on as that.
  bool reply(CallToken token, std::string_view result_json, Instant now);
  /// The same for what append_own_result() takes: sent without being read again.
  bool reply_own(CallToken token, std::string_view result_json);
  bool fail(CallToken token, const RpcError& error);
  /// Unknown resource, task, prompt: with the code of the client's era, and the URI.
  bool fail_not_found(CallToken token, std::string_view what);
  /// `capabilities_json` as in {"sampling":{}}.
  bool fail_missing(CallToken token, std::string_view why, std::string_view capabilities_json);
  /// Asks the client for input; the call comes back to the handler with Call::input_responses. A client that cannot answer gets an error.
  bool ask(CallToken token, const Question& question, Instant now);
  bool reply_task(CallToken token, const Task& task, Instant now);
  /// Dropped unless wanted, rising, and limits::mcp_progress_interval after the one before.
  bool progress(CallToken token, const Progress& progress, Instant now);
  /// Dropped unless the client wants this severity. `data_json` is raw.
  bool log(CallToken token, Severity severity, std::string_view logger, std::string_view data_json);

  // Changes, sent to whoever asked for them.
  void announce_list(ListKind kind);
  void announce_resource(std::string_view uri);
  void announce_task(const Task& task);
  /// Ends all listens: the server is closing down.
  void end_listens();

  const std::optional<LegacySession>& session() const { return session_; }
  const Counters& counters() const { return counters_; }
  size_t open_calls() const { return calls_.size(); }

 private:
  struct Request;
  struct Asked {
    std::string id;  ///< raw JSON of our request
    std::string key;
    CallToken token = 0;
    Method method = Method::unknown;
  };

  // server.cpp: routing and lifecycle
  void on_batch(const Message& message, Instant now);
  void on_request(const Message& message, Instant now, uint32_t batch);
  void on_legacy_request(Request& request);
  void on_modern_request(Request& request);
  void on_notification(const Message& message);
  void on_initialize(const Request& request);
  void serve(const Request& request);
  bool is_offered(Feature feature) const;
  std::string capabilities_json(Revision revision) const;
  void cancel(std::string_view id);

  // server_calls.cpp: requests that reach the handler
  void serve_list(const Request& request, ListKind kind);
  void serve_tool(const Request& request);
  void serve_resource(const Request& request);
  void serve_prompt(const Request& request);
  void serve_completion(const Request& request);
  void serve_task(const Request& request);
  void serve_set_level(const Request& request);
  struct Target;
  void start(const Request& request, const Target& target);
  bool read_state(const Request& request, const Target& target, Slice& responses, std::string& state);
  std::string seal_context(Method method, std::string_view target, Slice arguments) const;

  // server_replies.cpp: what goes out
  /// `body` is as append_own_result() takes it.
  void answer(const Request& request, std::string_view body);
  void answer(const Request& request, const RpcError& error);
  void finish(OpenCall& call, std::string line, int error_code);
  void finish_error(OpenCall& call, const RpcError& error);
  void finish_tool_error(OpenCall& call, const std::string& text);
  void send_answer(uint32_t batch, CallToken stream, std::string line, int error_code);
  void send(std::string line, CallToken stream);
  std::string own_line(std::string_view id, Method method, Revision revision, std::string_view body, int& error_code) const;
  std::string too_long_line(std::string_view id, Method method, Revision revision, size_t size, int& error_code) const;
  std::string shaped_line(std::string_view id, Method method, Revision revision, std::string_view body, int& error_code) const;

  // server_input.cpp: questions to the client
  bool put_question(OpenCall& call, Slice requests, const std::string* state, Instant now);
  bool ask_legacy(OpenCall& call, Slice requests, const std::string& state, Instant now);
  void on_response(const Message& message, Instant now);
  void resume(CallToken token, Instant now);
  void forget_asked(CallToken token);

  // server_watch.cpp: listens and subscriptions
  void serve_listen(const Request& request);
  void serve_subscribe(const Request& request, bool is_on);
  void tell_handler(const std::vector<Watches::Change>& changes);
  void notify(const Listen& listen, Method method, std::string_view members);
  bool hears_unsolicited() const;

  ServerOptions options_;
  const Catalog& catalog_;
  Handler& handler_;
  Output& output_;
  Sealer* sealer_;
  std::string server_info_;  ///< {"name":...,"version":...}
  std::optional<LegacySession> session_;
  OpenCalls calls_;
  Watches watches_;
  Batches batches_;
  std::vector<Asked> asked_;
  uint64_t last_request_ = 0;
  Counters counters_;
};

}  // namespace tideline::mcp

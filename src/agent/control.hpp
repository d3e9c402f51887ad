// Answers questions of local programs and commands: JSON-RPC 2.0, one message a line. The same object serves agent.sock in the
// daemon and, in one process, a command that found no daemon.
//
//   tideline/status   {"format":"json"|"text"}                                  -> {"status":{...}} or {"text":"..."}
//   tideline/query    {"series":"temp*","from":ns,"to":ns,"aggregate":"mean","step":ns,"limit":n,"gaps":bool,"format":...}
//   tideline/sync_now {}                                                        -> {}
//   tideline/context_get, _set, _delete, _list {arguments as of the MCP tools, "format":...}  -> what the tool answers
//   tideline/context_watch {"prefix":"pump"}  -> {}, then tideline/context_changed with the entry, whenever one changes
//
// Owned by Agent or a command. Thread: loop. Bounded by limits::control_requests under way; a longer line than
// limits::request_bytes is refused by whoever reads lines.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "agent/gateway/context_commands.hpp"
#include "agent/status_report.hpp"
#include "agent/store/outbox.hpp"
#include "wrap/json/document.hpp"

namespace tideline::agent {

class Control final : private ContextKeeper::Watcher {
 public:
  /// Who asked. Answers come in any order, one line each, its end of line included.
  class Caller {
   public:
    virtual ~Caller() = default;
    virtual void on_reply(std::string line) = 0;
  };
  /// What the agent can tell and do.
  class Host {
   public:
    virtual ~Host() = default;
    virtual StatusReport report() = 0;
    virtual void sync_now() = 0;
  };

  Control(Outbox& outbox, Host& host) : outbox_(outbox), host_(host) {}
  ~Control() override;
  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;
  /// They outlive it. Without them there is no context.
  void set_context(ContextKeeper& keeper, ContextCommands& commands);

  /// Answers now or later.
  void handle(std::string_view line, Caller& caller);
  /// No answer is wanted any more.
  void forget(const Caller& caller);
  /// Event of the outbox.
  void on_answer(Outbox::Token token, const Result<model::QueryAnswer>& answer);

 private:
  struct Pending {
    Caller* caller = nullptr;
    std::string id;          ///< JSON of the request's id
    bool wants_text = false;
    bool gaps_only = false;
  };

  struct Watch {
    Caller* caller = nullptr;
    std::string prefix;
  };

  void ask(const json::Value& params, Pending pending);
  void ask_context(std::string_view command, std::string_view line, Pending pending);
  void watch_context(const json::Value& params, const Pending& pending);
  void on_context_changed(const std::string& path) override;
  void reply(const Pending& pending, std::string_view result);
  void refuse(const Pending& pending, int code, std::string_view problem);

  Outbox& outbox_;
  Host& host_;
  std::map<Outbox::Token, Pending> pending_;
  Outbox::Token next_token_ = 1;
  ContextKeeper* keeper_ = nullptr;
  ContextCommands* context_ = nullptr;
  std::vector<Watch> watches_;
};

}  // namespace tideline::agent

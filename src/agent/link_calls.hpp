// Calls that the hub makes: put together from pieces, served by the gateway as a stream of their own each, and answered in pieces that
// share the link with readings. Also tells the hub what this device offers.
//
// A call with a lasting name goes on when the link is lost, and its answer waits in the ledger for the hub to ask again; other calls end
// with the link.
//
// Owned by Agent. Thread: loop. Durable: only the ledger. Bounds: limits::link_calls under way, limits::link_reply_bytes waiting to be sent;
// beyond them calls are refused and notifications are left out, never answers.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/call_ledger.hpp"
#include "agent/gateway/gateway.hpp"
#include "base/log.hpp"
#include "link/message.hpp"

namespace tideline::agent {

class LinkCalls {
 public:
  class Wire {
   public:
    virtual ~Wire() = default;
    /// There is something to say or to free: call collect() and say_next() soon, outside the event that led here.
    virtual void on_reply_ready() = 0;
    virtual void say(const link::ReplyFrame& frame) = 0;
    virtual void say(const link::NotifyFrame& frame) = 0;
  };
  using WallClock = UtcNanos (*)();
  LinkCalls(Gateway& gateway, CallLedger& ledger, WallClock wall_clock, Log& log);
  ~LinkCalls();
  LinkCalls(const LinkCalls&) = delete;
  LinkCalls& operator=(const LinkCalls&) = delete;
  /// Outlives this, or is taken away with null.
  void set_wire(Wire* wire) { wire_ = wire; }

  // Events of the link.
  void on_up(uint64_t hub_catalog_hash);
  void on_down();
  void on_call(const link::CallFrame& frame);
  void on_cancel(uint64_t call);
  /// Gateway::Listener::on_catalog_changed(), passed on.
  void on_catalog_changed();

  uint64_t catalog_hash() const { return gateway_.catalog_hash(); }
  bool has_something_to_say() const { return !queue_.empty(); }
  /// Frees calls that ended; outside of their events.
  void collect();
  /// Sends one frame of what waits.
  void say_next();
  size_t under_way() const { return calls_.size() + named_.size(); }

 private:
  class Call;
  struct Saying {
    uint64_t call = 0;  ///< 0: a notice
    std::string text;
    size_t at = 0;
    bool is_answer = false;
  };

  void on_whole(uint64_t id);
  void on_named(uint64_t id, std::unique_ptr<Call> call);
  void run_named(const std::string& name);
  void on_named_answer(const std::string& name, const std::string& line);
  void give_named(const std::string& name, const std::string& body);
  void cancel_named(const std::string& name);
  bool is_harmless(std::string_view request) const;
  void say(Saying saying);
  void say_error(uint64_t call, const std::string& why);
  void drop(uint64_t call);
  void push_catalog();

  Gateway& gateway_;
  CallLedger& ledger_;
  WallClock wall_clock_;
  Log& log_;
  Wire* wire_ = nullptr;
  bool is_up_ = false;
  std::map<uint64_t, std::unique_ptr<Call>> calls_;      // without a name, and those that are still coming in
  std::map<std::string, std::unique_ptr<Call>> named_;   // at work
  std::map<uint64_t, std::string> names_;                // who of the hub's calls waits for which of them
  std::vector<std::unique_ptr<Call>> ended_;  ///< inside an event of theirs: freed later
  std::deque<Saying> queue_;
  size_t queued_bytes_ = 0;
};

}  // namespace tideline::agent

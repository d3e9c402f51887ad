// What this device knows of calls that the hub may send more than once: each has a lasting name, and runs at most once however often the
// link or a process breaks. Noted durably before the call runs, and again with its answer before that is sent.
//
// A call begun by an earlier process and not finished was interrupted: nobody can tell whether it ran, so it is run again only if that does
// no harm, else its fate is "unknown" for good.
//
// Owned by Agent. Thread: loop. Bounds: limits::named_calls, the oldest finished ones go; an answer longer than limits::named_answer_bytes
// is sent but not kept.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "agent/gateway/notebook.hpp"
#include "base/time.hpp"

namespace tideline::agent {

class CallLedger final : private Notebook::Listener {
 public:
  enum class Standing : uint8_t {
    unheard,      ///< never begun here
    running,      ///< in this process
    interrupted,  ///< begun by an earlier one
    finished,
  };

  /// Reads the keys of what was noted before.
  explicit CallLedger(Notebook& notes);

  Standing standing(const std::string& name) const;
  /// Notes that the call is about to run; `then` may let it run. Errors: full, io, invalid (the name).
  void begin(const std::string& name, UtcNanos now, std::function<void(const Status&)> then);
  /// Notes the answer, raw JSON; `then` may send it.
  void finish(const std::string& name, std::string answer, std::function<void(const Status&)> then);
  /// Of a finished call. Errors: not_found, io, corrupt.
  void answer(const std::string& name, std::function<void(Result<std::string>)> then);
  size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::string key;  ///< of its note
    Standing standing = Standing::running;
  };
  bool make_room();
  void save(const std::string& key, std::string text, std::function<void(const Status&)> then);
  void on_saved(const std::string& key, const Status& status) override;
  void on_read(const std::string& key, const Result<std::string>& text) override;

  Notebook& notes_;
  std::map<std::string, Entry> entries_;  // by name
  std::multimap<std::string, std::function<void(const Status&)>> saving_;            // by key, in the order of saves
  std::multimap<std::string, std::function<void(Result<std::string>)>> reading_;
};

/// [a-zA-Z0-9._-], 1 to limits::link_name_bytes.
bool is_call_name(std::string_view name);

}  // namespace tideline::agent

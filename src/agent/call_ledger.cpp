#include "agent/call_ledger.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "base/log.hpp"

namespace tideline::agent {
namespace {

// "call/<seconds since 1970, ten digits>/b/<name>" while it runs, ".../d/<name>" when it is done: in the order of time, and the state can be
// told from the key.
constexpr std::string_view prefix = "call/";
constexpr size_t name_at = prefix.size() + 10 + 3;
constexpr size_t mark_at = prefix.size() + 10 + 1;

std::string key_of(UtcNanos now, const std::string& name) {
  const int64_t second = std::clamp<int64_t>(now.nanos / 1'000'000'000, 0, 9'999'999'999);
  return format("call/%010lld/b/%s", static_cast<long long>(second), name.c_str());
}

std::string done_key(std::string key) {
  key[mark_at] = 'd';
  return key;
}

}  // namespace

bool is_call_name(std::string_view name) {
  const auto is_good = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-'; };
  return !name.empty() && name.size() <= limits::link_name_bytes && std::all_of(name.begin(), name.end(), is_good);
}

CallLedger::CallLedger(Notebook& notes) : notes_(notes) {
  for (const std::string& key : notes.keys(prefix)) {
    if (key.size() <= name_at) continue;
    const bool is_done = key[mark_at] == 'd';
    Entry& entry = entries_[key.substr(name_at)];
    // Both are there when the process ended between the two notes of finish(): the answer counts.
    if (entry.standing == Standing::finished && !entry.key.empty()) continue;
    entry = {key, is_done ? Standing::finished : Standing::interrupted};
  }
}

CallLedger::Standing CallLedger::standing(const std::string& name) const {
  const auto found = entries_.find(name);
  return found == entries_.end() ? Standing::unheard : found->second.standing;
}

/// The oldest finished call goes: its answer was fetched long ago, or nobody wants it.
bool CallLedger::make_room() {
  if (entries_.size() < limits::named_calls) return true;
  auto oldest = entries_.end();
  for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
    if (entry->second.standing != Standing::finished) continue;
    if (oldest == entries_.end() || entry->second.key < oldest->second.key) oldest = entry;
  }
  if (oldest == entries_.end()) return false;
  save(oldest->second.key, "", nullptr);
  entries_.erase(oldest);
  return true;
}

void CallLedger::begin(const std::string& name, UtcNanos now, std::function<void(const Status&)> then) {
  if (!is_call_name(name)) return then(Error{ErrorCode::invalid, 0, "the name of a call has letters, digits, '.', '_' and '-'"});
  if (const auto known = entries_.find(name); known != entries_.end()) {  // interrupted, and to be run again: it is noted already
    known->second.standing = Standing::running;
    return then({});
  }
  if (!make_room()) return then(Error{ErrorCode::full, 0, "as many calls are under way as the ledger holds"});
  const std::string key = key_of(now, name);
  entries_[name] = {key, Standing::running};
  save(key, "begun", [this, name, then = std::move(then)](const Status& status) {
    if (!status) entries_.erase(name);
    then(status);
  });
}

void CallLedger::finish(const std::string& name, std::string answer, std::function<void(const Status&)> then) {
  const auto found = entries_.find(name);
  if (found == entries_.end()) return then(Error{ErrorCode::not_found, 0, "call"});
  if (answer.size() > limits::named_answer_bytes) {
    answer = R"({"error":{"code":1003,"message":"the call ran, and its answer was too long to be kept"}})";
  }
  const std::string begun = found->second.key;
  found->second = {done_key(begun), Standing::finished};
  save(done_key(begun), std::move(answer), [this, begun, then = std::move(then)](const Status& status) {
    if (status) save(begun, "", nullptr);
    then(status);
  });
}

void CallLedger::answer(const std::string& name, std::function<void(Result<std::string>)> then) {
  const auto found = entries_.find(name);
  if (found == entries_.end() || found->second.standing != Standing::finished) return then(Error{ErrorCode::not_found, 0, "call"});
  reading_.emplace(found->second.key, std::move(then));
  notes_.read(found->second.key, static_cast<Notebook::Listener&>(*this));
}

void CallLedger::save(const std::string& key, std::string text, std::function<void(const Status&)> then) {
  const Status taken = notes_.save(key, std::move(text), static_cast<Notebook::Listener&>(*this));
  if (taken) {
    saving_.emplace(key, std::move(then));
  } else if (then) {
    then(taken);
  }
}

void CallLedger::on_saved(const std::string& key, const Status& status) {
  const auto found = saving_.find(key);
  if (found == saving_.end()) return;
  const auto then = std::move(found->second);
  saving_.erase(found);
  if (then) then(status);
}

void CallLedger::on_read(const std::string& key, const Result<std::string>& text) {
  const auto found = reading_.find(key);
  if (found == reading_.end()) return;
  const auto then = std::move(found->second);
  reading_.erase(found);
  then(text);
}

}  // namespace tideline::agent

#include "agent/gateway/context_keeper.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "context/expiry.hpp"

namespace tideline::agent {

using context::Entry;
using context::Register;
using context::Side;

/// What the Book will be when everything judged so far is durable.
class ContextKeeper::Batch {
 public:
  explicit Batch(const context::Book& book) : book_(book), now_{{}, book.totals(), book.state().tops, 0} {}

  const Entry& entry(const std::string& path) const {
    if (const auto own = now_.changed.find(path); own != now_.changed.end()) return own->second;
    const Entry* held = book_.find(path);
    return held == nullptr ? nothing_ : *held;
  }
  context::Judge judge(const context::Declarations& declarations, UtcNanos now) const { return {Side::device, declarations, now_.totals, now, now_.tops}; }

  /// As Book::put() will do it. Errors: limit.
  Status add(const Register& reg) {
    const Entry& before = entry(reg.path);
    if (!context::replaces(reg.write, before.of(reg.side))) return {};
    RETURN_IF_ERROR(context::room_for(now_.totals, before, reg));
    const bool is_new = context::weight_of(reg.path, before).bytes == 0;
    Entry& own = now_.changed.try_emplace(reg.path, before).first->second;
    count(context::weight_of(reg.path, own), false);
    context::merge(own, reg.side, reg.write);
    count(context::weight_of(reg.path, own), true);
    now_.totals.paths += is_new ? 1 : 0;
    now_.tops[reg.side] = std::max(now_.tops[reg.side], reg.write.stamp);
    registers.push_back(reg);
    now_.registers = registers.size();
    return {};
  }

  /// For what is taken whole or not at all.
  struct Mark {
    std::map<std::string, Entry, std::less<>> changed;
    context::Totals totals;
    context::Tops tops;
    size_t registers;
  };
  Mark mark() const { return now_; }
  void go_back(Mark&& to) {
    now_ = std::move(to);
    registers.resize(now_.registers);
  }

  std::vector<Register> registers;

 private:
  void count(const context::Weight& weight, bool is_added) {
    now_.totals.entries += static_cast<size_t>(is_added ? weight.entries : -weight.entries);
    now_.totals.bytes += is_added ? weight.bytes : -weight.bytes;
  }

  const context::Book& book_;
  Mark now_;
  Entry nothing_;
};

ContextKeeper::ContextKeeper(Outbox& outbox, context::Declarations declarations, WallClock wall_clock, Log& log)
    : outbox_(outbox), declarations_(std::move(declarations)), wall_clock_(std::move(wall_clock)), log_(log) {
  const ContextImage image = outbox_.take_context();
  clock_.observe(image.newest);
  for (const Register& reg : image.registers) take_in(reg);
  expired_to_ms_ = now_ms();
}

// ---- Requests

size_t ContextKeeper::size_of(const Request& request) {
  if (const auto* local = std::get_if<LocalChange>(&request)) return local->change.path.size() + local->change.value.size() + local->change.author.size();
  size_t size = 0;
  for (const Register& reg : std::get<FromHub>(request).registers) size += context::size_of(reg);
  return size;
}

void ContextKeeper::change(context::Change change, Changed done) {
  LocalChange local{std::move(change), std::move(done), {}, {}, false, false};
  const size_t bytes = local.change.value.size() + local.change.path.size() + local.change.author.size();
  if (!has_room(bytes)) return local.done(nullptr, {ErrorCode::busy, local.change.path + ": too many changes wait to be stored; try again"});
  push(std::move(local));
}

void ContextKeeper::apply(std::vector<Register>&& registers, Applied done) {
  Request request = FromHub{std::move(registers), std::move(done), {}};
  if (!has_room(size_of(request))) return std::get<FromHub>(request).done(Error{ErrorCode::busy, 0, "too many changes wait to be stored"}, book_.state().tops);
  push(std::move(request));
}

void ContextKeeper::push(Request request) {
  queued_bytes_ += size_of(request);
  queue_.push_back(std::move(request));
  begin();
}

void ContextKeeper::read_history(const std::string& path, Read done) {
  if (reading_.size() >= histories) return done(Error{ErrorCode::busy, 0, "too many histories are being read; ask again"});
  reading_.emplace(++last_token_, std::move(done));
  outbox_.ask_context_history(path, last_token_);
}

void ContextKeeper::set_peer_holds(const context::Tops& tops) {
  may_forget_ = may_forget_ || !has_met_ || !(tops == peer_holds_);
  has_met_ = true;
  peer_holds_ = tops;
  clock_.observe(tops);  // of a device that came back older than the hub remembers
}

// ---- Batches

void ContextKeeper::begin() {
  if (batch_token_ != 0 || is_beginning_) return;
  is_beginning_ = true;
  while (!queue_.empty() && !judge_all()) {
  }
  is_beginning_ = false;
}

/// False when nothing of it has to be stored: it is answered already.
bool ContextKeeper::judge_all() {
  std::vector<std::string> forgotten;
  // Not while registers wait that the hub said before: they may hold what the deletion deleted.
  const bool has_hub = std::any_of(queue_.begin(), queue_.end(), [](const Request& one) { return std::holds_alternative<FromHub>(one); });
  if (!has_hub && std::exchange(may_forget_, false)) forgotten = book_.forget_tombstones(peer_holds_);
  batch_.assign(std::make_move_iterator(queue_.begin()), std::make_move_iterator(queue_.end()));
  queue_.clear();
  queued_bytes_ = 0;
  Batch batch(book_);
  for (Request& request : batch_) std::visit([&](auto& one) { judge(one, batch); }, request);
  batch_registers_ = std::move(batch.registers);
  if (batch_registers_.empty() && forgotten.empty()) {
    answer({});
    return false;
  }
  put(batch_registers_, std::move(forgotten));
  return true;
}

void ContextKeeper::judge(LocalChange& local, Batch& batch) {
  const Entry& entry = batch.entry(local.change.path);
  const context::Judge judge = batch.judge(declarations_, wall_clock_());
  if (local.is_expiry) {
    local.is_made = context::make_expiry(local.change.path, entry, judge, clock_, local.made);
    local.refusal.code = ErrorCode::not_found;  // no longer due
  } else {
    local.is_made = context::make_register(local.change, entry, judge, clock_, local.made, local.refusal);
  }
  if (!local.is_made) return;
  const Status added = batch.add(local.made);
  if (added) return;
  local.is_made = false;
  local.refusal = {added.error().code, local.change.path + ": " + added.error().context + ", with what the hub wrote"};
}

void ContextKeeper::judge(FromHub& hub, Batch& batch) {
  Batch::Mark before = batch.mark();
  for (const Register& reg : hub.registers) {
    clock_.observe(reg.write.stamp);
    hub.status = batch.add(reg);
    if (!hub.status) return batch.go_back(std::move(before));
  }
}

void ContextKeeper::put(std::vector<Register> registers, std::vector<std::string> forgotten) {
  batch_token_ = ++last_token_;
  const Status taken = outbox_.put_context({std::move(registers), std::move(forgotten), batch_token_});
  if (taken) return;
  batch_token_ = 0;
  answer(taken);
}

void ContextKeeper::on_context_put(Outbox::Token token, const Status& status) {
  if (token != batch_token_ || token == 0) return;
  if (!status && status.error().code == ErrorCode::corrupt && !is_putting_all_) {
    // The file is new and empty, memory is not: what was acknowledged must be on the disk again.
    is_putting_all_ = true;
    std::vector<Register> everything;
    for (const auto& [path, entry] : book_.entries()) {
      for (const Side side : context::sides) {
        if (entry.of(side).stamp != 0) everything.push_back({path, side, entry.of(side)});
      }
    }
    everything.insert(everything.end(), batch_registers_.begin(), batch_registers_.end());
    return put(std::move(everything), {});
  }
  is_putting_all_ = false;
  if (status) {
    for (const Register& reg : batch_registers_) take_in(reg);
  }
  answer(status);
  if (status) tell();
  batch_registers_.clear();
  batch_token_ = 0;
  begin();
}

void ContextKeeper::take_in(const Register& reg) {
  const Entry* before = book_.find(reg.path);
  conflicts_ -= before != nullptr && before->is_conflict() ? 1 : 0;
  const Result<bool> taken = book_.put(reg);
  if (!taken) log_error(log_, "context", "'%s' is left out: %s", reg.path.c_str(), taken.error().context);  // only of a store with too much in it
  if (const Entry* after = book_.find(reg.path); after != nullptr && after->is_conflict()) ++conflicts_;
  clock_.observe(reg.write.stamp);
  if (reg.write.expires_ms != 0 && !reg.write.is_deleted) expiry_ms_ = std::min(expiry_ms_, reg.write.expires_ms);
}

void ContextKeeper::answer(const Status& status) {
  last_failure_ = status ? "" : std::string(status.error().context) + ": " + error_name(status.error().code);
  std::vector<Request> batch = std::move(batch_);
  batch_.clear();
  for (Request& request : batch) {
    if (auto* hub = std::get_if<FromHub>(&request)) {
      hub->done(status ? hub->status : status, book_.state().tops);
      continue;
    }
    auto& local = std::get<LocalChange>(request);
    if (local.is_made && !status) local.refusal = {status.error().code, local.change.path + ": not stored: " + last_failure_};
    local.done(local.is_made && status ? &local.made : nullptr, local.refusal);
  }
}

void ContextKeeper::tell() {
  bool has_own = false;
  std::vector<std::string> paths;
  for (const Register& reg : batch_registers_) {
    has_own = has_own || reg.side == Side::device;
    paths.push_back(reg.path);
  }
  std::sort(paths.begin(), paths.end());
  paths.erase(std::unique(paths.begin(), paths.end()), paths.end());
  const std::vector<Watcher*> watchers = watchers_;
  for (Watcher* watcher : watchers) {
    for (const std::string& path : paths) watcher->on_context_changed(path);
    watcher->on_context_settled(has_own);
  }
}

void ContextKeeper::on_context_history(Outbox::Token token, const Result<std::vector<Register>>& writes) {
  if (const auto found = reading_.extract(token)) found.mapped()(writes);
}

// ---- Time

void ContextKeeper::on_tick() {
  const int64_t now = now_ms();
  if (now < expiry_ms_) return;
  for (std::string& path : context::expired_paths(book_.entries(), Side::device, now, deletions_at_once, expiry_ms_)) {
    context::Change change{std::move(path), context::Operation::erase, "", std::nullopt, 0, ""};
    if (!has_room(change.path.size())) {
      expiry_ms_ = now;
      break;
    }
    const auto done = [this](const Register* made, const context::Refusal& refusal) {
      if (made == nullptr && refusal.code != ErrorCode::not_found) expiry_ms_ = 0;  // tried again
    };
    push(LocalChange{std::move(change), done, {}, {}, false, true});
  }
  tell_expired(now);
}

/// Those that stay as they are: the hub's, and those in conflict.
void ContextKeeper::tell_expired(int64_t now) {
  std::vector<std::string> over;
  for (const auto& [path, entry] : book_.entries()) {
    const int64_t expires = entry.of(Side::hub).expires_ms;
    if (expires > now) expiry_ms_ = std::min(expiry_ms_, expires);
    else if (expires > expired_to_ms_ && entry.is_current(Side::hub)) over.push_back(path);
  }
  expired_to_ms_ = now;
  for (Watcher* watcher : watchers_) {
    for (const std::string& path : over) watcher->on_context_changed(path);
  }
}

uint64_t ContextKeeper::unsent() const {
  const context::Stamp held = has_met_ ? peer_holds_[Side::device] : 0;
  if (book_.state().tops[Side::device] <= held) return 0;
  if (unsent_.top == book_.state().tops[Side::device] && unsent_.held == held) return unsent_.count;
  unsent_ = {book_.state().tops[Side::device], held, 0};
  for (const auto& [path, entry] : book_.entries()) unsent_.count += entry.of(Side::device).stamp > held ? 1 : 0;
  return unsent_.count;
}

}  // namespace tideline::agent

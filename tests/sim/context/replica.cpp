#include "sim/context/replica.hpp"

#include <algorithm>

#include "context/expiry.hpp"

namespace tideline::context::sim {

// ---- Work asked for

void Replica::change(Change change) {
  Work work{Work::Kind::change, 0, std::move(change), {}, {}, 0, {}};
  work_.push_back(std::move(work));
}

void Replica::expire() { work_.push_back({Work::Kind::expire, 0, {}, {}, {}, 0, {}}); }

void Replica::read_state() {
  const auto is_earlier = [&](const Work& one) { return one.kind == Work::Kind::apply && one.connection != connection_; };
  if (habits.reads_at_once && std::none_of(work_.begin(), work_.end(), is_earlier)) return sync_->on_state(book_->state());
  work_.push_back({Work::Kind::state, connection_, {}, {}, {}, 0, {}});
}

void Replica::read_page(Side side, Stamp after, size_t max_bytes) {
  if (habits.page_bytes == 0 && max_bytes == 0) problem_ = "a page of no bytes was asked for";
  if (habits.reads_at_once) return sync_->on_page(book_->page(side, after, habits.page_bytes != 0 ? habits.page_bytes : max_bytes));
  work_.push_back({Work::Kind::page, connection_, {}, {}, side, after, {}});
}

void Replica::apply(std::vector<Register>&& registers) {
  for (const Work& waiting : work_) {
    if (waiting.kind == Work::Kind::apply && waiting.connection == connection_) problem_ = "registers came before those before them were acknowledged";
  }
  work_.push_back({Work::Kind::apply, connection_, {}, std::move(registers), {}, 0, {}});
}

void Replica::on_peer_holds(const Tops& tops) {
  if (habits.minds_tops) clock_.observe(tops);
  work_.push_back({Work::Kind::holds, connection_, {}, {}, {}, 0, tops});
}

// ---- Work done: durable from here on, and told later

void Replica::work(UtcNanos wall, bool fails, bool keeps_part) {
  Work work = std::move(work_.front());
  work_.pop_front();
  Answer answer = done(work, wall, fails, keeps_part);
  answers_.push_back(std::move(answer));
}

Replica::Answer Replica::done(Work& work, UtcNanos wall, bool fails, bool keeps_part) {
  Answer answer{work.kind, work.connection, {}, {}, {}, std::nullopt};
  if (fails) answer.status = Error{ErrorCode::io, 0, "the disk does not want to"};
  switch (work.kind) {
    case Work::Kind::change:
    case Work::Kind::expire:
      if (!fails) answer.fact = write(work, wall);
      break;
    case Work::Kind::apply:
      for (size_t i = 0; i < work.registers.size(); ++i) {
        if (fails && (!keeps_part || i * 2 >= work.registers.size())) break;
        if (!put(work.registers[i])) problem_ = "there is no room in the replica";
      }
      answer.state = book_->state();
      break;
    case Work::Kind::state: answer.state = book_->state(); break;
    case Work::Kind::page: answer.page = book_->page(work.side, work.after, habits.page_bytes != 0 ? habits.page_bytes : 65536); break;
    case Work::Kind::holds:
      if (!fails && habits.tombstones) (void)book_->forget_tombstones(work.holds, *habits.tombstones).size();
      break;
  }
  return answer;
}

std::optional<FactId> Replica::write(Work& work, UtcNanos wall) {
  static const Entry nothing;
  const Judge judge{side_, declarations_, book_->totals(), wall, habits.tombstones ? book_->state().tops : Tops{}};
  Register made;
  if (work.kind == Work::Kind::expire) {
    int64_t next = 0;
    const std::vector<std::string> due = expired_paths(book_->entries(), side_, now_ms(wall, clock_), 1, next);
    if (due.empty()) return std::nullopt;
    const Entry& entry = *book_->find(due[0]);
    const Stamp known = facts_[fact_of(entry.of(side_))].known;  // it has seen no more than what it ends
    if (!make_expiry(due[0], entry, judge, clock_, made)) return std::nullopt;
    const std::optional<FactId> id = note(made);
    facts_[*id].known = known;
    return id;
  }
  const Entry* held = book_->find(work.change.path);
  Refusal refusal;
  if (!make_register(work.change, held == nullptr ? nothing : *held, judge, clock_, made, refusal)) return std::nullopt;
  return note(made);
}

std::optional<FactId> Replica::note(Register& made) {
  const FactId id = facts_.size();
  made.write.author = std::to_string(id);
  Fact fact{made, 0, {}, false, false};
  if (const auto known = memory_.known.find({made.path, other(side_)}); known != memory_.known.end()) fact.known = known->second;
  for (const FactId one : memory_.facts) {
    if (facts_[one].reg.path == made.path && facts_[one].reg.side == side_) fact.held.insert(one);
  }
  facts_.push_back(std::move(fact));
  if (!put(made)) problem_ = "there is no room for an own write";
  return id;
}

Status Replica::put(const Register& reg) {
  const Result<bool> taken = book_->put(reg);
  if (!taken) return taken.error();
  clock_.observe(reg.write.stamp);
  newest_ = std::max(newest_, reg.write.stamp);
  memory_.facts.insert(fact_of(reg.write));
  Stamp& known = memory_.known[{reg.path, reg.side}];
  known = std::max(known, reg.write.stamp);
  return {};
}

// ---- Answers

void Replica::answer() {
  Answer answer = std::move(answers_.front());
  answers_.pop_front();
  if (answer.fact) facts_[*answer.fact].is_acknowledged = true;
  const bool is_own = answer.kind == Work::Kind::change || answer.kind == Work::Kind::expire;
  if (is_own && answer.fact && sync_ != nullptr) sync_->on_written();
  if (is_own || sync_ == nullptr || answer.connection != connection_) return;
  switch (answer.kind) {
    case Work::Kind::apply: return sync_->on_applied(answer.status, answer.state.tops);
    case Work::Kind::state:
      if (!answer.status) wants_cut_ = true;
      else sync_->on_state(answer.state);
      return;
    case Work::Kind::page:
      if (!answer.status) wants_cut_ = true;
      else sync_->on_page(std::move(answer.page));
      return;
    default: return;
  }
}

// ---- Life

void Replica::connect() {
  ++connection_;
  wants_cut_ = false;
  outgoing.clear();
  Sync::Host& host = *this;
  sync_ = std::make_unique<Sync>(side_, host, side_ == Side::device ? write_declarations(declarations_) : "", log_);
  sync_->start();
}

void Replica::disconnect() {
  sync_.reset();
  outgoing.clear();
  wants_cut_ = false;
}

Status Replica::deliver(const ByteBuffer& message, Instant now) { return sync_->on_message(message, now); }

Image Replica::image() const {
  Image image{{}, newest_, memory_};
  for (const auto& [path, entry] : book_->entries()) {
    for (const Side side : sides) {
      if (entry.of(side).stamp != 0) image.registers.push_back({path, side, entry.of(side)});
    }
  }
  return image;
}

void Replica::rebuild(const std::vector<Register>& registers, Stamp newest) {
  const Book before = std::move(*book_);
  book_ = std::make_unique<Book>();
  for (auto reg = registers.rbegin(); reg != registers.rend(); ++reg) (void)book_->put(*reg).has_value();
  newest_ = newest;
  clock_ = HybridClock{};
  clock_.observe(newest);
  clock_.observe(book_->state().tops);
}

void Replica::crash() {
  disconnect();
  work_.clear();
  answers_.clear();
  const Image durable = image();
  const ReplicaState before = book_->state();
  const Totals totals = book_->totals();
  rebuild(durable.registers, durable.newest);
  if (!(book_->state() == before)) problem_ = "a book that is built from what it holds says something else";
  if (book_->totals().bytes != totals.bytes || book_->totals().entries != totals.entries || book_->totals().paths != totals.paths) problem_ = "totals drift";
}

void Replica::restore(const Image& image) {
  crash();
  memory_ = image.memory;
  rebuild(image.registers, image.newest);
}

}  // namespace tideline::context::sim

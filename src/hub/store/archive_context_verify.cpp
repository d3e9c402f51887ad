#include "hub/store/archive_context_verify.hpp"

#include "base/log.hpp"
#include "context/book.hpp"
#include "context/json_values.hpp"
#include "context/path.hpp"
#include "hub/store/archive_sql.hpp"

namespace tideline::hub {
namespace {

using context::Side;

class ContextVerifier {
 public:
  ContextVerifier(size_t most, std::vector<std::string>& problems) : most_(most), problems_(problems) {}

  void begin(std::string device) {
    device_ = std::move(device);
    path_.clear();
    entry_ = {};
    digest_ = entries_ = tombstones_ = conflicts_ = bytes_ = 0;
    tops_ = {};
  }
  void take(std::string_view path, Side side, context::Write write) {
    if (path != path_) end_entry();
    path_ = path;
    const auto value = write.is_deleted ? Result<std::string>(std::string()) : context::compact(write.value);
    const auto only = context::only_writer(path);
    if (!context::is_path(path) || write.stamp == 0 || !value || *value != write.value || (only && *only != side)) problem("the register at '" + path_ + "' cannot be");
    tops_[side] = std::max(tops_[side], write.stamp);
    entry_.of(side) = std::move(write);
  }
  /// Against the row of `state`: digest, entries, tombstones, conflicts, bytes, tops.
  void end(const sqlite::Statement& state) {
    end_entry();
    const uint64_t counted[] = {digest_, entries_, tombstones_, conflicts_, bytes_};
    static constexpr const char* names[] = {"digest", "entries", "tombstones", "conflicts", "bytes"};
    for (int i = 0; i < 5; ++i) {
      if (from_stored(state.integer(2 + i)) != counted[i]) problem(std::string("the sum ") + names[i] + " is not what its entries give");
    }
    // What was forgotten may have been above what is left.
    for (const Side side : context::sides) {
      if (from_stored(state.integer(7 + static_cast<int>(index_of(side)))) < tops_[side]) problem("a register lies above the top");
    }
  }

 private:
  void end_entry() {
    if (path_.empty()) return;
    const context::Weight weight = context::weight_of(path_, entry_);
    digest_ += context::digest_of(path_, entry_);
    entries_ += weight.entries;
    tombstones_ += weight.tombstones;
    bytes_ += weight.bytes;
    conflicts_ += entry_.is_conflict() ? 1 : 0;
    path_.clear();
    entry_ = {};
  }
  void problem(const std::string& text) {
    if (problems_.size() < most_) problems_.push_back(device_ + " context: " + text);
  }

  size_t most_;
  std::vector<std::string>& problems_;
  std::string device_;
  std::string path_;
  context::Entry entry_;
  uint64_t digest_ = 0;
  uint64_t entries_ = 0;
  uint64_t tombstones_ = 0;
  uint64_t conflicts_ = 0;
  uint64_t bytes_ = 0;
  context::Tops tops_;
};

}  // namespace

Status verify_context(sqlite::Database& database, size_t most, std::vector<std::string>& problems) {
  ASSIGN_OR_RETURN(sqlite::Statement states, database.prepare("SELECT s.device, d.name, s.digest, s.entries, s.tombstones, s.conflicts, s.bytes, s.top_device, s.top_hub "
                                                              "FROM context_state s JOIN device d ON d.id = s.device ORDER BY s.device"));
  // index: context_entry
  ASSIGN_OR_RETURN(sqlite::Statement registers, database.prepare("SELECT path, side, stamp, seen, deleted, expires_ms, author, value FROM context WHERE device = ? ORDER BY path, side"));
  ContextVerifier verifier(most, problems);
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, states.step());
    if (!more) return {};
    verifier.begin(std::string(states.text(1)));
    registers.bind(1, states.integer(0));
    Rows rows(registers);
    for (;;) {
      ASSIGN_OR_RETURN(const bool another, rows.next());
      if (!another) break;
      verifier.take(registers.text(0), registers.integer(1) == 0 ? Side::device : Side::hub,
                    {from_stored(registers.integer(2)), from_stored(registers.integer(3)), registers.integer(4) != 0, registers.integer(5), std::string(registers.text(6)), std::string(registers.text(7))});
    }
    verifier.end(states);
  }
}

}  // namespace tideline::hub

// Store: notes, and what must be true of the rest of the store before one is acknowledged.

#include "agent/store/store.hpp"

namespace tideline::agent {

std::vector<Status> Store::put_notes(std::span<const NoteChange> changes, Instant now) {
  uint64_t added = 0;
  for (const NoteChange& change : changes) added += change.text.empty() ? 0 : change.key.size() + change.text.size();
  Status ready = added == 0 ? Status{} : make_room(added, now);
  // The file comes before the record of it: recorded and missing means lost (Recovery::load_notes).
  if (ready && !state().has_notes) {
    ready = notes_.create();
    state().has_notes = ready.has_value();
    if (ready) state_db_->mark_unsaved(StateDb::identity);
  }
  if (ready && state_db_->has_unsaved()) ready = save(0);
  std::vector<Status> statuses;
  Status written = ready ? notes_.put(changes, statuses) : ready;
  if (ready && !written && written.error().code == ErrorCode::full && space_.release_ballast()) {
    log_warning(log_, "outbox", "the disk is full: the reserve was given up to save notes");
    written = notes_.put(changes, statuses);
  }
  if (!written) statuses.assign(changes.size(), written);
  note_loss();
  refresh_status();
  return statuses;
}

Result<std::string> Store::get_note(const std::string& key, Instant) {
  Result<std::string> text = notes_.get(key);
  note_loss();
  return text;
}

void Store::note_loss() {
  if (!notes_.take_loss()) return;
  has_lost_notes_ = true;
  state().has_notes = false;
  ++state().incarnation;
  ++state_version_;
  // Saved again with the next commit if it fails; a crash before that finds the file missing and raises it once more.
  (void)save(StateDb::identity).has_value();
  refresh_status();
}

}  // namespace tideline::agent

// Store: the context, and the room for it.

#include "agent/store/store.hpp"

namespace tideline::agent {

Status Store::put_context(std::span<const ContextPut> puts, Instant now) {
  uint64_t added = 0;
  for (const ContextPut& put : puts) {
    for (const context::Register& reg : put.registers) added += reg.path.size() + reg.write.value.size();
  }
  Status done = added == 0 ? Status{} : make_room(added, now);
  if (done) done = context_.put(puts);
  if (!done && done.error().code == ErrorCode::full && space_.release_ballast()) {
    log_warning(log_, "outbox", "the disk is full: the reserve was given up to save context");
    done = context_.put(puts);
  }
  refresh_status();
  return done;
}

}  // namespace tideline::agent

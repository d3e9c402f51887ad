// Whose handshake goes on next: who is half through before who has just come, each in the order they came. Else a storm of new
// connections would be begun, all of them, and none be finished before its deadline.
//
// Owned by the acceptor. Bounded by the handshakes it lets in. Pure.
#pragma once

#include <deque>

namespace tideline::net {

template <class Waiting>
class HandshakeTurns {
 public:
  void add(Waiting& one, bool is_half_through) { (is_half_through ? finishing_ : beginning_).push_back(&one); }
  /// Null when nobody waits.
  Waiting* take() {
    std::deque<Waiting*>& from = finishing_.empty() ? beginning_ : finishing_;
    if (from.empty()) return nullptr;
    Waiting* const first = from.front();
    from.pop_front();
    return first;
  }
  void remove(const Waiting& one) {
    std::erase(finishing_, &one);
    std::erase(beginning_, &one);
  }
  bool is_empty() const { return finishing_.empty() && beginning_.empty(); }

 private:
  std::deque<Waiting*> finishing_;
  std::deque<Waiting*> beginning_;
};

}  // namespace tideline::net

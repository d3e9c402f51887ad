#include "wrap/tls/session.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "base/log.hpp"

namespace tideline::tls {
namespace {

const char* explain(ErrorCode code) {
  switch (code) {
    case ErrorCode::denied: return "the other side refused the TLS connection";
    case ErrorCode::closed: return "the other side closed the TLS connection";
    case ErrorCode::unsupported: return "no TLS version, suite or protocol in common";
    default: return "what came is not valid TLS";
  }
}

}  // namespace

void Session::feed(Bytes ciphertext) {
  if (input_.empty()) {
    input_ = ciphertext;
    return;
  }
  hold_input();
  append(held_, ciphertext);
  input_ = held_;
}

void Session::hold_input() {
  if (input_.empty()) {
    ByteBuffer().swap(held_);
    return;
  }
  ByteBuffer rest(input_.begin(), input_.end());
  held_.swap(rest);
  input_ = held_;
}

size_t Session::take_input(uint8_t* to, size_t size) {
  const size_t count = std::min(size, input_.size());
  if (count == 0) return 0;
  std::memcpy(to, input_.data(), count);
  input_ = input_.subspan(count);
  return count;
}

Result<bool> Session::handshake() {
  if (state_ == State::failed) return error_;
  if (state_ != State::handshaking) return true;
  ASSIGN_OR_RETURN(const bool is_done, shake());
  if (is_done) state_ = State::open;
  return is_done;
}

Result<size_t> Session::read(std::span<uint8_t> to) {
  if (state_ == State::failed) return error_;
  if (state_ == State::closed) return Error{ErrorCode::closed, 0, "TLS"};
  assert(state_ == State::open);
  return decrypt(to);
}

Status Session::write(Bytes plain) {
  if (state_ != State::open) return Error{ErrorCode::closed, 0, "TLS"};
  return encrypt(plain);
}

void Session::close() {
  if (state_ != State::open && state_ != State::closed) return;
  say_goodbye();
  state_ = State::closed;
}

Error Session::fail(ErrorCode code, int native, const char* context, const std::string& words) {
  state_ = State::failed;
  error_ = {code, native, context};
  reason_ = format("%s (%s)", explain(code), words.c_str());
  return error_;
}

Error Session::deny(int native, std::string reason) {
  state_ = State::failed;
  error_ = {ErrorCode::denied, native, "certificate"};
  reason_ = std::move(reason);
  return error_;
}

}  // namespace tideline::tls

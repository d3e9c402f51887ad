// How a function reports failure: Result<T> and Status, by value, without exceptions.
// Member names are those of std::expected, so that the types can be dropped once C++23 is the floor.
#pragma once

#include <cassert>
#include <cstdint>
#include <utility>
#include <variant>

namespace tideline {

/// What a caller can react to. The native code and the context in Error say the rest to people.
enum class ErrorCode : uint8_t {
  invalid,       ///< input from outside is wrong
  limit,         ///< a bound of limits.hpp was reached
  full,          ///< no space left (disk, quota, queue)
  io,            ///< the operating system or the device failed
  corrupt,       ///< stored or received data is damaged
  not_found,     ///< the named thing does not exist
  exists,        ///< the named thing exists already
  busy,          ///< owned or locked by somebody else
  denied,        ///< not authorised
  unreachable,   ///< peer cannot be reached
  closed,        ///< peer or owner closed
  timeout,       ///< a deadline passed
  unsupported,   ///< version or feature not offered here
};

/// A short lower-case word for `code`, e.g. "not found". Static storage.
const char* error_name(ErrorCode code);

/// `context` is a string literal naming what failed, never freed. `native` is errno, a SQLite extended code, a libuv or
/// mbedTLS code, or 0; the context tells which.
struct Error {
  ErrorCode code = ErrorCode::invalid;
  int native = 0;
  const char* context = "";
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, error) {}

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }
  T& value() { return *get(); }
  const T& value() const { return *get(); }
  T& operator*() { return *get(); }
  const T& operator*() const { return *get(); }
  T* operator->() { return get(); }
  const T* operator->() const { return get(); }
  const Error& error() const {
    assert(!has_value());
    return *std::get_if<1>(&state_);
  }

 private:
  T* get() {
    assert(has_value());
    return std::get_if<0>(&state_);
  }
  const T* get() const {
    assert(has_value());
    return std::get_if<0>(&state_);
  }
  std::variant<T, Error> state_;
};

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Error error) : error_(error), failed_(true) {}

  bool has_value() const { return !failed_; }
  explicit operator bool() const { return !failed_; }
  const Error& error() const {
    assert(failed_);
    return error_;
  }

 private:
  Error error_;
  bool failed_ = false;
};

}  // namespace tideline

/// Returns the error of a Status or Result expression to the caller.
#define RETURN_IF_ERROR(expression)                               \
  do {                                                            \
    if (auto status_ = (expression); !status_) return status_.error(); \
  } while (false)

#define TIDELINE_JOIN_(a, b) a##b
#define TIDELINE_JOIN(a, b) TIDELINE_JOIN_(a, b)
/// `ASSIGN_OR_RETURN(auto x, f());` declares x, or returns the error of f() to the caller.
#define ASSIGN_OR_RETURN(declaration, expression)                     \
  auto TIDELINE_JOIN(result_, __LINE__) = (expression);               \
  if (!TIDELINE_JOIN(result_, __LINE__)) return TIDELINE_JOIN(result_, __LINE__).error(); \
  declaration = std::move(*TIDELINE_JOIN(result_, __LINE__))

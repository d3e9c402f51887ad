#include "base/result.hpp"

namespace tideline {

const char* error_name(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid: return "invalid";
    case ErrorCode::limit: return "limit reached";
    case ErrorCode::full: return "no space";
    case ErrorCode::io: return "input/output error";
    case ErrorCode::corrupt: return "damaged";
    case ErrorCode::not_found: return "not found";
    case ErrorCode::exists: return "exists already";
    case ErrorCode::busy: return "busy";
    case ErrorCode::denied: return "not authorised";
    case ErrorCode::unreachable: return "unreachable";
    case ErrorCode::closed: return "closed";
    case ErrorCode::timeout: return "timed out";
    case ErrorCode::unsupported: return "not supported";
  }
  return "unknown";
}

}  // namespace tideline

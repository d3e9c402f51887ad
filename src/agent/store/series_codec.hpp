// A series definition as bytes, for the dictionary of state.db and the copies in segments. Pure.
//
// Version 1: u8 version, u8 kind, u8 stream, then name, unit, u8 label count and the label names and values, each text as
// u16 little-endian length and bytes.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "model/series.hpp"

namespace tideline::agent {

void encode_series(const model::Series& series, ByteBuffer& out);
/// Checks everything that model::validate() checks. Errors: corrupt.
Result<model::Series> decode_series(Bytes bytes);

}  // namespace tideline::agent

#include "agent/store/series_codec.hpp"

#include <string>

namespace tideline::agent {
namespace {

constexpr uint8_t version = 1;

void put_text(ByteBuffer& out, std::string_view text) {
  out.push_back(static_cast<uint8_t>(text.size() & 0xff));
  out.push_back(static_cast<uint8_t>(text.size() >> 8));
  append(out, as_bytes(text));
}

/// Takes a text from the front of `bytes`; false when it is cut.
bool take_text(Bytes& bytes, std::string& out) {
  if (bytes.size() < 2) return false;
  const size_t size = load_le<uint16_t>(bytes.data());
  if (bytes.size() < 2 + size) return false;
  out = as_text(bytes.subspan(2, size));
  bytes = bytes.subspan(2 + size);
  return true;
}

}  // namespace

void encode_series(const model::Series& series, ByteBuffer& out) {
  out.clear();
  out.push_back(version);
  out.push_back(static_cast<uint8_t>(series.kind));
  out.push_back(static_cast<uint8_t>(series.stream));
  put_text(out, series.name);
  put_text(out, series.unit);
  out.push_back(static_cast<uint8_t>(series.labels.size()));
  for (const auto& [name, value] : series.labels) {
    put_text(out, name);
    put_text(out, value);
  }
}

Result<model::Series> decode_series(Bytes bytes) {
  const Error damaged{ErrorCode::corrupt, 0, "series definition"};
  if (bytes.size() < 3 || bytes[0] != version || bytes[1] > static_cast<uint8_t>(model::Kind::event) ||
      bytes[2] >= model::stream_count) {
    return damaged;
  }
  model::Series series;
  series.kind = static_cast<model::Kind>(bytes[1]);
  series.stream = static_cast<model::Stream>(bytes[2]);
  bytes = bytes.subspan(3);
  if (!take_text(bytes, series.name) || !take_text(bytes, series.unit) || bytes.empty()) return damaged;
  const size_t labels = bytes[0];
  bytes = bytes.subspan(1);
  for (size_t i = 0; i < labels; ++i) {
    std::pair<std::string, std::string> label;
    if (!take_text(bytes, label.first) || !take_text(bytes, label.second)) return damaged;
    series.labels.push_back(std::move(label));
  }
  if (!bytes.empty() || !model::validate(series)) return damaged;
  return series;
}

}  // namespace tideline::agent

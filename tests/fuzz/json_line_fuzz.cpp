// Any bytes as JSON: the strict reader and cJSON agree, what is read is written and read again the same; as a line of ingest the
// same bytes do no harm and are only accepted when they are JSON.
#include <array>
#include <cstdlib>
#include <string>

#include "agent/inputs/line_parser.hpp"
#include "base/text.hpp"
#include "wrap/json/document.hpp"
#include "wrap/json/scan.hpp"
#include "wrap/json/writer.hpp"

namespace {

using namespace tideline;

class NullSink final : public agent::Sink {
 public:
  Result<agent::SeriesHandle> resolve(const model::Series& series) override {
    RETURN_IF_ERROR(model::validate(series));
    return agent::SeriesHandle{0, series.stream};
  }
  model::ReadingBatch& batch(model::Stream stream) override { return batches_[model::index_of(stream)]; }
  bool has_room() const override { return true; }
  void declare_lost(model::Stream, uint64_t) override {}

 private:
  std::array<model::ReadingBatch, model::stream_count> batches_;
};

void write(json::Value value, json::Writer& writer) {
  switch (value.type()) {
    case json::Value::Type::absent: std::abort();
    case json::Value::Type::null: writer.null(); return;
    case json::Value::Type::boolean: writer.boolean(*value.boolean()); return;
    case json::Value::Type::number:
      if (const auto number = value.number()) {
        writer.number(*number);
      } else {
        writer.null();
      }
      return;
    case json::Value::Type::text: writer.text(*value.text()); return;
    case json::Value::Type::array:
      writer.begin_array();
      for (json::Value v = value.first(); v.is_present(); v = v.next()) write(v, writer);
      writer.end_array();
      return;
    case json::Value::Type::object:
      writer.begin_object();
      for (json::Value v = value.first(); v.is_present(); v = v.next()) {
        writer.key(v.name());
        write(v, writer);
      }
      writer.end_object();
      return;
  }
}

std::string print(json::Value value) {
  std::string out;
  json::Writer writer(out);
  write(value, writer);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto document = json::Document::parse(text)) {
    const std::string once = print(document->root());
    const auto again = json::Document::parse(once);
    if (!again || print(again->root()) != once) std::abort();
  }
  std::string unescaped;
  std::string_view raw;
  if (json::Scanner scanner(text); scanner.take_string(raw)) json::append_unescaped(raw, unescaped);

  if (text.find_first_of("\r\n") != text.npos || text.empty() || text.front() != '{' || size > limits::ingest_line_bytes) return 0;
  NullSink sink;
  const agent::SeriesRules rules;
  agent::LineParser parser(rules, sink);
  const agent::LineResult first = parser.parse(text, UtcNanos{1});
  const agent::LineResult second = parser.parse(text, UtcNanos{1});
  if (first.is_good() != second.is_good() || first.readings != second.readings) std::abort();
  json::Scanner scanner(text);
  if (first.is_good() && !(scanner.take_value(raw) && scanner.is_at_end())) std::abort();
  return 0;
}

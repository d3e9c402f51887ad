#include "agent/cli_answer.hpp"

#include "base/limits.hpp"
#include "wrap/json/document.hpp"

namespace tideline::agent::cli {
namespace {

constexpr std::string_view result_member = R"("result":)";

bool parse_response(const Result<json::Document>& document, std::string& problem) {
  if (!document) {
    problem = "the agent's answer cannot be read: " + std::string(document.error().context);
    return false;
  }
  const json::Value error = document->root()["error"];
  if (!error.is_present()) return true;
  const auto message = error["message"].text();
  problem = message ? std::string(*message) : "the agent refused";
  return false;
}

uint64_t number(const json::Value& value) {
  const auto integer = value.integer();
  return integer && *integer > 0 ? static_cast<uint64_t>(*integer) : 0;
}

}  // namespace

bool printable_result(std::string_view line, bool as_json, std::string& printed, std::string& problem) {
  const auto document = json::Document::parse(line);
  if (!parse_response(document, problem)) return false;
  if (!as_json) {
    const auto text = document->root()["result"]["text"].text();
    printed = text ? std::string(*text) : "";
    return true;
  }
  // Spliced, not printed again: numbers keep their digits. Our own responses end with the result.
  const size_t begin = line.find(result_member);
  const size_t end = line.rfind('}');
  printed = std::string(line.substr(begin + result_member.size(), end - begin - result_member.size())) + "\n";
  return true;
}

bool read_verify_result(std::string_view line, VerifyResult& out, std::string& problem) {
  const auto document = json::Document::parse(line);
  if (!parse_response(document, problem)) return false;
  const json::Value result = document->root()["result"];
  out.blocks = number(result["blocks_scanned"]);
  out.readings = number(result["readings_scanned"]);
  out.unreadable = number(result["blocks_unreadable"]);
  for (json::Value gap = result["gaps"].first(); gap.is_present(); gap = gap.next()) {
    const auto reason = gap["reason"].text();
    if (!reason || *reason != "rollback") out.declared_lost += number(gap["count"]);
  }
  return true;
}

}  // namespace tideline::agent::cli

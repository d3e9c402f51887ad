#include "mcp/envelope.hpp"

#include <gtest/gtest.h>

namespace tideline::mcp {
namespace {

std::string params(std::string_view meta) { return R"({"name":"x","_meta":{)" + std::string(meta) + "}}"; }
const std::string version = R"("io.modelcontextprotocol/protocolVersion":"2026-07-28")";
const std::string capabilities = R"("io.modelcontextprotocol/clientCapabilities":{})";

RpcCode problem_of(const std::string& meta) {
  const std::string text = params(meta);
  const Result<Envelope> envelope = read_envelope(Slice(text));
  EXPECT_TRUE(envelope.has_value());
  const auto problem = check_envelope(*envelope);
  return problem ? problem->code : RpcCode{0};
}

TEST(Envelope, AVersionKeyMakesARequestModern) {
  const std::string modern = params(version), legacy = params(R"("progressToken":1)");
  EXPECT_EQ(read_envelope(Slice(modern))->era(), Era::modern);
  EXPECT_EQ(read_envelope(Slice(legacy))->era(), Era::legacy);
  EXPECT_EQ(read_envelope(Slice())->era(), Era::legacy);
}

TEST(Envelope, IsCompleteWithVersionAndCapabilities) { EXPECT_EQ(problem_of(version + "," + capabilities), RpcCode{0}); }

TEST(Envelope, MissingOrWrongKeysAreInvalidParams) {
  EXPECT_EQ(problem_of(version), RpcCode::invalid_params);
  EXPECT_EQ(problem_of(R"("io.modelcontextprotocol/protocolVersion":20260728,)" + capabilities), RpcCode::invalid_params);
  EXPECT_EQ(problem_of(version + R"(,"io.modelcontextprotocol/clientCapabilities":null)"), RpcCode::invalid_params);
  EXPECT_EQ(problem_of(version + "," + capabilities + R"(,"io.modelcontextprotocol/clientInfo":{"name":"x"})"), RpcCode::invalid_params);
  EXPECT_EQ(problem_of(version + "," + capabilities + R"(,"io.modelcontextprotocol/logLevel":"loud")"), RpcCode::invalid_params);
}

TEST(Envelope, UnknownVersionNamesWhatIsSupported) {
  const std::string text = params(R"("io.modelcontextprotocol/protocolVersion":"2099-01-01",)" + capabilities);
  const auto problem = check_envelope(*read_envelope(Slice(text)));
  ASSERT_TRUE(problem.has_value());
  EXPECT_EQ(problem->code, RpcCode::unsupported_version);
  EXPECT_EQ(problem->data, R"({"supported":["2026-07-28"],"requested":"2099-01-01"})");
  EXPECT_EQ(problem_of(R"("io.modelcontextprotocol/protocolVersion":"2025-11-25",)" + capabilities), RpcCode::unsupported_version);
}

TEST(Envelope, RefusesAKeyTwiceInParamsAndMeta) {
  EXPECT_FALSE(read_envelope(Slice(R"({"name":"a","name":"b"})")).has_value());
  const std::string twice = params(version + "," + version);
  EXPECT_FALSE(read_envelope(Slice(twice)).has_value());
  EXPECT_FALSE(read_envelope(Slice(R"({"_meta":[]})")).has_value());
  EXPECT_FALSE(read_envelope(Slice(R"({"_meta":{"progressToken":1.5}})")).has_value());
}

TEST(Envelope, ReadsCapabilities) {
  const auto read = [](std::string_view text) { return read_capabilities(Slice(text)); };
  EXPECT_TRUE(read(R"({"elicitation":{}})").elicitation_form);
  EXPECT_FALSE(read(R"({"elicitation":{}})").elicitation_url);
  EXPECT_FALSE(read(R"({"elicitation":{"url":{}}})").elicitation_form);
  EXPECT_TRUE(read(R"({"elicitation":{"url":{},"form":{}}})").elicitation_form);
  EXPECT_TRUE(read(R"({"sampling":{},"roots":{"listChanged":true}})").roots);
  EXPECT_TRUE(read(R"({"extensions":{"io.modelcontextprotocol/tasks":{}}})").tasks);
  EXPECT_FALSE(read(R"({"tasks":{}})").tasks);
}

TEST(Envelope, PassesOnTraceAndVendorKeysOnly) {
  const std::string meta = "{" + version + "," + capabilities + R"(,"progressToken":"p","traceparent":"00-a-b-01","com.example/x":{"y":1}})";
  EXPECT_EQ(passing_meta(Slice(meta)), R"("traceparent":"00-a-b-01","com.example/x":{"y":1})");
  EXPECT_EQ(passing_meta(Slice()), "");
}

TEST(Revision, LegacyAnswerIsTheVersionAskedOrTheNewestLegacy) {
  EXPECT_EQ(negotiate_legacy("2024-11-05"), Revision::r2024_11_05);
  EXPECT_EQ(negotiate_legacy("2025-03-26"), Revision::r2025_03_26);
  EXPECT_EQ(negotiate_legacy("2026-07-28"), Revision::r2025_11_25);
  EXPECT_EQ(negotiate_legacy("1999-01-01"), Revision::r2025_11_25);
  EXPECT_EQ(negotiate_legacy(""), Revision::r2025_11_25);
}

TEST(Revision, ADateFromTheFirstModernRevisionOnIsModern) {
  EXPECT_TRUE(is_modern_date("2026-07-28"));
  EXPECT_TRUE(is_modern_date("2099-01-01"));
  EXPECT_FALSE(is_modern_date("2025-11-25"));
  EXPECT_FALSE(is_modern_date("DRAFT-2026"));
  EXPECT_FALSE(is_modern_date("9"));
}

}  // namespace
}  // namespace tideline::mcp

#include "agent/gateway/tool_arguments.hpp"

#include <gtest/gtest.h>

#include <bit>

#include "base/limits.hpp"
#include "unit/agent/gateway/fake_services.hpp"

namespace tideline::test {
namespace {

using agent::NewReading;

constexpr UtcNanos now = utc(1000);

std::string read(std::string_view json, std::vector<NewReading>& out) { return agent::read_readings(mcp::Slice(json), now, out); }
std::string problem(std::string_view reading) {
  std::vector<NewReading> out;
  return read(R"({"readings":[)" + std::string(reading) + "]}", out);
}

TEST(ToolArguments, AQueryHasARangeAndItsDefaults) {
  model::Query query;
  agent::TimeRange range;
  EXPECT_EQ(agent::read_query(mcp::Slice("{}"), now, query, range), "");
  EXPECT_EQ(query.from_ns, (now - hours(1)).nanos);
  EXPECT_EQ(query.to_ns, INT64_MAX);
  EXPECT_EQ(query.aggregate, model::Aggregate::none);
  EXPECT_EQ(agent::read_query(mcp::Slice(R"({"from":"-1m","to":"-2m"})"), now, query, range).find("from"), 0u + std::string("the time is empty: ").size());
}

TEST(ToolArguments, ReadingsKeepTheirTypes) {
  std::vector<NewReading> out;
  ASSERT_EQ(read(R"({"readings":[{"series":"a{y=2,x=1}","value":21.5,"unit":"Cel","time":"-5m"},{"series":"b","value":true},{"series":"c","value":"on"},)"
                 R"({"series":"d","value":9007199254740993,"class":"critical"},{"series":"e","value":7}]})",
                 out),
            "");
  ASSERT_EQ(out.size(), 5u);
  EXPECT_EQ(out[0].series.key(), "a{x=1,y=2}");
  EXPECT_EQ(std::bit_cast<double>(out[0].bits), 21.5);
  EXPECT_EQ(out[0].time, now - minutes(5));
  EXPECT_EQ(out[0].series.unit, "Cel");
  EXPECT_EQ(out[1].type, model::ValueType::boolean);
  EXPECT_EQ(out[2].text, "on");
  EXPECT_EQ(out[3].type, model::ValueType::i64) << "no double holds it";
  EXPECT_EQ(out[3].bits, 9007199254740993u);
  EXPECT_TRUE(out[3].chooses_class);
  EXPECT_EQ(out[4].type, model::ValueType::f64);
  EXPECT_FALSE(out[4].time);
}

TEST(ToolArguments, AWrongReadingIsNamedAndNothingIsStored) {
  EXPECT_NE(problem(R"({"series":"ok","value":1},{"series":"a{","value":1})").find("readings[1]: series"), std::string::npos);
  EXPECT_NE(problem(R"({"series":"a","value":1,"time":"soon"})").find("time: 'soon'"), std::string::npos);
  EXPECT_NE(problem(R"({"series":"a","value":null})").find("value:"), std::string::npos);
  EXPECT_NE(problem(R"({"series":"a","value":1e999})").find("out of range"), std::string::npos);
  EXPECT_NE(problem(R"({"series":"a","value":1,"time":"soon"})").find("Nothing was stored"), std::string::npos);
  const std::string longest(limits::text_value_bytes, 'x');
  EXPECT_EQ(problem(R"({"series":"a","value":")" + longest + "\"}"), "");
  EXPECT_NE(problem(R"({"series":"a","value":")" + longest + "x\"}"), "");
}

TEST(ToolArguments, PercentSignsAreDecodedStrictly) {
  std::string out;
  EXPECT_TRUE(agent::decode_percent("temp%7Broom%3da%7D", out));
  EXPECT_EQ(out, "temp{room=a}");
  EXPECT_TRUE(agent::decode_percent("plain", out));
  for (const char* wrong : {"%", "%7", "%zz", "a%2", "%ff"}) EXPECT_FALSE(agent::decode_percent(wrong, out)) << wrong;
}

}  // namespace
}  // namespace tideline::test

#include <gtest/gtest.h>

#include "agent/inputs/line_parser.hpp"
#include "agent/inputs/record_args.hpp"
#include "unit/agent/inputs/sink_fixture.hpp"

namespace tideline::agent {
namespace {

/// What the word stores once it went through the ingest socket.
std::string stored(std::string_view word) {
  RecordArgument argument;
  std::string problem;
  if (!parse_record_argument(word, argument, problem)) return problem;
  KeepingSink sink;
  SeriesRules rules;
  LineParser parser(rules, sink);
  const LineResult result = parser.parse(to_ingest_line(argument), UtcNanos{1});
  return result.is_good() ? sink.lines().front() : result.reason;
}

TEST(RecordArguments, every_type_arrives_as_it_was_written) {
  EXPECT_EQ(stored("temp=21.4"), "temp=21.4@agent");
  EXPECT_EQ(stored("temp=21"), "temp=21@agent");
  EXPECT_EQ(stored("temp=-1e-3"), "temp=-0.001@agent");
  EXPECT_EQ(stored("big=9007199254740992"), "big=9007199254740992@agent");
  EXPECT_EQ(stored("count=7i"), "count=7i@agent");
  EXPECT_EQ(stored("count=-9223372036854775808i"), "count=-9223372036854775808i@agent");
  EXPECT_EQ(stored("pump.on=true"), "pump.on=true@agent");
  EXPECT_EQ(stored("msg=\"a \\\"b\\\" = {c}@d\""), "msg='a \"b\" = {c}@d'@agent");
  EXPECT_EQ(stored("msg=\"\""), "msg=''@agent");
  EXPECT_EQ(stored("temp{room=a,side=n}=21.4"), "temp{room=a,side=n}=21.4@agent");
  EXPECT_EQ(stored("temp=1@2023-11-14T22:13:20.000000001Z"), "temp=1@1700000000000000001");
  EXPECT_EQ(stored("msg=\"x\"@1700000000"), "msg='x'@1700000000000000000");
  EXPECT_EQ(stored("#odd name=1"), "#odd name=1@agent");
}

TEST(RecordArguments, a_wrong_word_is_named_with_what_is_expected) {
  for (const char* word : {"temp", "=1", "temp=", "temp=x", "temp=nan", "temp=inf", "temp=1.5i", "temp=99999999999999999999i", "temp=\"open", "temp=\"a\"b",
                           "temp=1@", "temp=1@soon", "temp{room}=1", "temp{room=a=1", "temp=1e999", "temp=yes", "a,b{=1"}) {
    RecordArgument argument;
    std::string problem;
    EXPECT_FALSE(parse_record_argument(word, argument, problem)) << word;
    EXPECT_TRUE(problem.starts_with("'" + std::string(word) + "': ")) << problem;
  }
}

}  // namespace
}  // namespace tideline::agent

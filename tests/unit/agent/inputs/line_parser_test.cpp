#include <gtest/gtest.h>

#include "agent/inputs/line_parser.hpp"
#include "base/limits.hpp"
#include "base/random.hpp"
#include "unit/agent/inputs/sink_fixture.hpp"

namespace tideline::agent {
namespace {

class LineParserTest : public ::testing::Test {
 protected:
  /// What the line gave, or why it was refused.
  Lines parse(std::string_view line, LineOptions options = {}) {
    sink.clear();
    LineParser fresh(rules, sink, options);
    const LineResult result = fresh.parse(line, now);
    if (!result.is_good()) return {result.reason};
    EXPECT_EQ(result.readings, sink.size());
    return sink.lines();
  }
  KeepingSink sink;
  SeriesRules rules;
  UtcNanos now{42};
};
using InfluxLines = LineParserTest;
using JsonLines = LineParserTest;

TEST_F(InfluxLines, fields_become_series_and_types_are_kept) {
  EXPECT_EQ(parse("temp,room=a v=21.5 1700000000000000000"), (Lines{"temp{room=a}=21.5@1700000000000000000"}));
  EXPECT_EQ(parse("temp value=-1e3"), (Lines{"temp=-1000@agent"}));
  EXPECT_EQ(parse("m a=1,b=2i,c=3u,d=t,e=FALSE,f=\"x y,z=\\\"q\\\\\" 7"),
            (Lines{"m.a=1@7", "m.b=2i@7", "m.c=3i@7", "m.d=true@7", "m.e=false@7", "m.f='x y,z=\"q\\'@7"}));
  EXPECT_EQ(parse("n v=9223372036854775807i"), (Lines{"n=9223372036854775807i@agent"}));
  EXPECT_EQ(parse("n v=-9223372036854775808i"), (Lines{"n=-9223372036854775808i@agent"}));
  EXPECT_EQ(parse("n v=.5,w=+2.5"), (Lines{"n=0.5@agent", "n.w=2.5@agent"}));
}

TEST_F(InfluxLines, escapes_belong_to_names_and_tags) {
  EXPECT_EQ(parse("my\\ temp,ro\\=om=a\\ b\\c v=1"), (Lines{"label name is empty or holds a reserved character"}));
  EXPECT_EQ(parse("my\\ temp,room=a\\ b\\c fi\\ eld=1"), (Lines{"my temp.fi eld{room=a b\\c}=1@agent"}));
  EXPECT_EQ(parse("a\\,b v=1"), (Lines{"a,b=1@agent"}));
}

TEST_F(InfluxLines, tags_are_sorted_and_order_makes_no_new_series) {
  EXPECT_EQ(parse("t,b=2,a=1 v=1"), (Lines{"t{a=1,b=2}=1@agent"}));
  EXPECT_EQ(parse("t,a=1,b=2 v=1"), (Lines{"t{a=1,b=2}=1@agent"}));
  EXPECT_EQ(sink.dictionary.size(), 1u);
}

TEST_F(InfluxLines, the_class_tag_chooses_the_class_unless_switched_off) {
  EXPECT_EQ(parse("t,class=critical v=1"), (Lines{"t=1@agent"}));
  EXPECT_EQ(sink.series("t").stream, model::Stream::critical);
  EXPECT_EQ(parse("t,class=urgent v=1"), (Lines{"class is not critical, normal or bulk"}));
  EXPECT_EQ(parse("t,class=critical v=1", {.class_tag = false}), (Lines{"t{class=critical}=1@agent"}));
}

TEST_F(InfluxLines, precision_scales_the_time) {
  EXPECT_EQ(parse("t v=1 17", {.precision = Precision::ms}), (Lines{"t=1@17000000"}));
  EXPECT_EQ(parse("t v=1 -1", {.precision = Precision::s}), (Lines{"t=1@-1000000000"}));
  EXPECT_EQ(parse("t v=1 9223372037", {.precision = Precision::s}), (Lines{"time is out of range"}));
}

TEST_F(InfluxLines, a_wrong_line_is_refused_whole_with_its_reason) {
  const std::pair<const char*, const char*> wrong[] = {
      {"temp", "line has no field"}, {"temp ", "line has no field"}, {",a=b v=1", "measurement is missing"}, {"t v", "field is not name=value"},
      {"t =1", "field is not name=value"}, {"t v=", "field has no value"}, {"t v=,w=1", "field has no value"}, {"t v=1x", "value is not a number"},
      {"t v=nan", "value is not a number, true or false, or a text in quotes"}, {"t v=-inf", "value is not a number"}, {"t v=1e999", "number is out of range"},
      {"t v=99999999999999999999i", "integer is beyond 64 bits"}, {"t v=18446744073709551615u", "integer is beyond 64 bits"},
      {"t v=-1u", "unsigned integer is negative"}, {"t v=\"open", "text does not end"}, {"t v=\"a\"b", "text is followed by something else"},
      {"t v=1 x", "time is not a whole number"}, {"t v=1 1 2", "time is not a whole number"}, {"t v=1 1.5", "time is not a whole number"},
      {"t,room v=1", "tag is not name=value"}, {"t, v=1", "tag is not name=value"}, {"t,a=1,a=2 v=1", "labels are not sorted and unique"},
      {"t v=1,bad", "field is not name=value"}, {"t v=1, w=2", "field is not name=value"}, {"t\xff v=1", "series name is not printable UTF-8"},
      {"t v=\"\xff\"", "text is not UTF-8"}, {"t v=-", "value is not a number"}, {"t v=i", "value is not a number"}, {"t v=0x10", "value is not a number"}};
  for (const auto& [line, reason] : wrong) {
    EXPECT_EQ(parse(line), (Lines{reason})) << line;
    EXPECT_EQ(sink.size(), 0u) << line;
  }
}

TEST_F(LineParserTest, texts_and_fields_end_at_their_bounds) {
  EXPECT_EQ(parse("t v=\"" + std::string(limits::text_value_bytes, 'x') + "\"").size(), 1u);
  EXPECT_EQ(parse("t v=\"" + std::string(limits::text_value_bytes + 1, 'x') + "\""), (Lines{"text is longer than 4096 bytes"}));
  std::string fields = "t f0=0";
  for (size_t i = 1; i < limits::ingest_fields; ++i) fields += ",f" + std::to_string(i) + "=0";
  EXPECT_EQ(parse(fields).size(), limits::ingest_fields);
  EXPECT_EQ(parse(fields + ",more=1"), (Lines{"line has more than 1024 fields"}));
}

TEST_F(InfluxLines, whatever_came_before_a_line_means_the_same) {
  const char* const names[] = {"m", "m1", "m10", "m,a=b", "m,a=b\\ c", "m,a=b\\", "m1\\", "z"};
  const char* const fields[] = {"v=1", "v=1,w=2", "w=2,v=1", "w=\"a,v= 1\"", "vv=-0.5", "v\\==3i", "v\\ =1", "v=true,v=2", "v", "v =1", "v=1x", "v\\=1"};
  const char* const stamps[] = {"", " 17", " -17", "  17", " x", " 1 2"};
  Random random(5);
  LineParser parser(rules, sink);
  for (int i = 0; i < 20'000; ++i) {
    const std::string line = std::string(names[random.below(std::size(names))]) + " " + fields[random.below(std::size(fields))] + stamps[random.below(std::size(stamps))];
    const Lines alone = parse(line);
    sink.clear();
    const LineResult result = parser.parse(line, now);
    EXPECT_EQ(result.is_good() ? sink.lines() : Lines{result.reason}, alone) << line;
  }
}

TEST_F(LineParserTest, a_series_seen_before_is_not_resolved_again) {
  LineParser parser(rules, sink);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(parser.parse("t,a=1 v=1,w=2", now).is_good());
    EXPECT_TRUE(parser.parse("t,a=1 w=2", now).is_good());
    EXPECT_TRUE(parser.parse(R"({"series":"t","labels":{"a":"1"},"value":3})", now).is_good());
    EXPECT_TRUE(parser.parse(R"({"x":1,"y":2})", now).is_good());
  }
  EXPECT_EQ(sink.resolved, 5u);
  EXPECT_EQ(parser.cached_series(), 5u);
  EXPECT_EQ(sink.size(), 3u * 6);
}

TEST_F(LineParserTest, the_cache_starts_over_at_its_bound_and_keeps_giving_right_answers) {
  LineParser parser(rules, sink);
  for (size_t i = 0; i < limits::series_per_device - 1; ++i) ASSERT_TRUE(parser.parse("s" + std::to_string(i) + " v=1", now).is_good());
  EXPECT_TRUE(parser.parse("s0 v=1", now).is_good());
  EXPECT_EQ(parser.cached_series(), limits::series_per_device - 1);
  EXPECT_TRUE(parser.parse("last v=1", now).is_good());
  EXPECT_FALSE(parser.parse("beyond v=1", now).is_good());  // of the dictionary
  EXPECT_TRUE(parser.parse("s0,class=normal v=5", now).is_good());  // the same series under another text: one more entry
  EXPECT_EQ(parser.cached_series(), 1u);
  sink.clear();
  EXPECT_TRUE(parser.parse("s0 v=7", now).is_good());
  EXPECT_EQ(sink.lines(), (Lines{"s0=7@agent"}));
}

TEST_F(LineParserTest, a_name_padded_beyond_reason_is_not_kept) {
  LineParser parser(rules, sink);
  const std::string padding(32 * 1024, ' ');
  EXPECT_TRUE(parser.parse("{\"series\":\"t\",\"labels\":{" + padding + "},\"value\":1}", now).is_good());
  EXPECT_EQ(parser.cached_series(), 0u);
}

TEST_F(LineParserTest, rules_of_the_operator_apply_but_not_over_the_producers_class) {
  SeriesRule rule;
  rule.glob = "te*";
  rule.stream = model::Stream::bulk;
  rule.unit = "Cel";
  rules = SeriesRules({rule});
  EXPECT_EQ(parse("temp v=1"), (Lines{"temp=1@agent"}));
  EXPECT_EQ(sink.series("temp").stream, model::Stream::bulk);
  EXPECT_EQ(sink.series("temp").unit, "Cel");
  EXPECT_EQ(parse("test,class=critical v=1"), (Lines{"test=1@agent"}));
  EXPECT_EQ(sink.series("test").stream, model::Stream::critical);
}

TEST_F(LineParserTest, an_input_shapes_and_leaves_out_series) {
  InputConfig input;
  input.labels = {{"site", "n"}};
  input.exclude = {"noise*"};
  input.rename = {{"a", "b"}};
  EXPECT_EQ(parse("a v=1", {.input = &input}), (Lines{"b{site=n}=1@agent"}));
  EXPECT_EQ(parse("m v=1,noise=2", {.input = &input}).size(), 2u);
  EXPECT_EQ(parse("noise v=1", {.input = &input}), Lines{});
}

TEST_F(JsonLines, the_long_form_carries_everything) {
  EXPECT_EQ(parse(R"({"series":"temp","labels":{"room":"a"},"value":21.5,"time":"2023-11-14T22:13:20Z","unit":"Cel","class":"critical","kind":"gauge"})"),
            (Lines{"temp{room=a}=21.5@1700000000000000000"}));
  EXPECT_EQ(sink.series("temp{room=a}").unit, "Cel");
  EXPECT_EQ(sink.series("temp{room=a}").stream, model::Stream::critical);
  EXPECT_EQ(parse(R"({"value" : true , "series" : "a\u0062" } )"), (Lines{"ab=true@agent"}));
  EXPECT_EQ(parse(R"({"series":"t","value":"a\"\u00e9"})"), (Lines{"t='a\"\xc3\xa9'@agent"}));
}

TEST_F(JsonLines, every_member_of_the_short_form_is_a_series) {
  EXPECT_EQ(parse(R"({"temp":21.5,"door":true,"note":"x","time":1700000000})"),
            (Lines{"temp=21.5@1700000000000000000", "door=true@1700000000000000000", "note='x'@1700000000000000000"}));
  EXPECT_EQ(parse(R"({"a\"b":1})"), (Lines{"a\"b=1@agent"}));
}

TEST_F(JsonLines, numbers_are_doubles_unless_only_an_integer_is_exact) {
  EXPECT_EQ(parse(R"({"n":9007199254740991})"), (Lines{"n=9007199254740991@agent"}));
  EXPECT_EQ(parse(R"({"n":9007199254740993})"), (Lines{"n=9007199254740993i@agent"}));
  EXPECT_EQ(parse(R"({"n":-9223372036854775808})"), (Lines{"n=-9223372036854775808i@agent"}));
  EXPECT_EQ(parse(R"({"n":9223372036854775808})"), (Lines{"integer is beyond 64 bits"}));
  EXPECT_EQ(parse(R"({"n":-0})"), (Lines{"n=-0@agent"}));
  EXPECT_EQ(parse(R"({"series":"n","value":7,"type":"i64"})"), (Lines{"n=7i@agent"}));
  EXPECT_EQ(parse(R"({"series":"n","value":7.5,"type":"i64"})"), (Lines{"value is not a whole number"}));
  EXPECT_EQ(parse(R"({"series":"n","value":9007199254740992,"type":"f64"})"), (Lines{"n=9007199254740992@agent"}));
  EXPECT_EQ(parse(R"({"n":1e400})"), (Lines{"number is out of range"}));
}

TEST_F(JsonLines, times_are_told_apart_by_size) {
  for (const char* time : {"1700000000", "1700000000000", "1700000000000000", "1700000000000000000", "1700000000.0", "\"1700000000\"",
                           "\"2023-11-14T23:13:20+01:00\""}) {
    EXPECT_EQ(parse("{\"t\":1,\"time\":" + std::string(time) + "}"), (Lines{"t=1@1700000000000000000"})) << time;
  }
  EXPECT_EQ(parse(R"({"t":1,"time":1700000000.000000001})"), (Lines{"t=1@1700000000000000001"}));
  EXPECT_EQ(parse(R"({"t":1,"time":5})"), (Lines{"t=1@5000000000"}));
  for (const char* time : {"true", "\"soon\"", "1e9", "99999999999999999999", "-9223372036854775808", "\"2023-02-30T00:00:00Z\"", "null"}) {
    EXPECT_EQ(parse("{\"t\":1,\"time\":" + std::string(time) + "}"), (Lines{"time is not RFC 3339 text or a number since 1970"})) << time;
  }
}

TEST_F(JsonLines, a_wrong_line_is_refused_whole_with_its_reason) {
  const std::pair<const char*, const char*> wrong[] = {
      {"{}", "line has no series"}, {"{\"time\":1}", "line has no series"}, {"{\"a\":1", "a comma or closing bracket is expected"},
      {"{\"a\":1}x", "more follows the JSON object"}, {"{\"a\":null}", "value is null"}, {"{\"a\":[1]}", "value is an object or a list"},
      {"{\"a\":{\"b\":1}}", "value is an object or a list"}, {"{\"a\":01}", "number begins with 0"}, {"{\"a\":1,}", "a text in quotes is expected"},
      {"{\"a\":\"\\u0000\"}", "text holds a NUL"}, {"{\"a\":1,\"b\":}", "a value is expected"}, {"{a:1}", "a text in quotes is expected"},
      {"{\"series\":\"t\"}", "value is missing"}, {"{\"series\":5,\"value\":1}", "series is not a text"}, {"{\"series\":\"\",\"value\":1}", "series name is empty"},
      {"{\"series\":\"t\",\"value\":1,\"value\":2}", "member is there twice"},
      {"{\"series\":\"t\",\"vlaue\":1}", "unknown member; known are series, labels, value, type, time, unit, kind and class"},
      {"{\"series\":\"t\",\"value\":1,\"labels\":[]}", "labels is not an object"}, {"{\"series\":\"t\",\"value\":1,\"labels\":{\"a\":1}}", "label is not a text"},
      {"{\"series\":\"t\",\"value\":1,\"labels\":{\"a\":{}}}", "label is not a text"},
      {"{\"series\":\"t\",\"value\":1,\"labels\":{\"a\":\"1\",\"a\":\"2\"}}", "labels are not sorted and unique"},
      {"{\"series\":\"t\",\"value\":1,\"class\":\"x\"}", "class is not critical, normal or bulk"}, {"{\"series\":\"t\",\"value\":1,\"unit\":1}", "unit is not a text"},
      {"{\"series\":\"t\",\"value\":true,\"type\":\"i64\"}", "type is only for numbers"}, {"{\"series\":\"t\",\"value\":1,\"type\":\"u8\"}", "type is not f64 or i64"},
      {"{\"a\":\"\xff\"}", "text is not UTF-8"}, {"{\"a\xff\":1}", "series name is not printable UTF-8"}, {"{\"a\":[[[1]]]}", "nested too deeply"}};
  for (const auto& [line, reason] : wrong) {
    EXPECT_EQ(parse(line), (Lines{reason})) << line;
    EXPECT_EQ(sink.size(), 0u) << line;
  }
}

TEST_F(JsonLines, names_that_look_alike_in_the_cache_stay_apart) {
  LineParser parser(rules, sink);
  EXPECT_TRUE(parser.parse(R"({"series":"t","value":1,"unit":"a"})", now).is_good());
  EXPECT_TRUE(parser.parse(R"({"series":"t","value":1,"kind":"state"})", now).is_good());
  EXPECT_TRUE(parser.parse(R"({"t":1})", now).is_good());
  EXPECT_EQ(sink.dictionary.size(), 3u);
}

}  // namespace
}  // namespace tideline::agent

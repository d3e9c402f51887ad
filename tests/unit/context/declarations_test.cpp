#include "context/declarations.hpp"

#include <gtest/gtest.h>

#include "context/limits.hpp"

namespace tideline::context {
namespace {

Declarations parsed(const std::string& json) {
  auto declarations = parse_declarations(json);
  EXPECT_TRUE(declarations) << json;
  return declarations ? std::move(*declarations) : Declarations{};
}

const std::string everything =
    R"([{"path":"pump/*/setpoint","rule":"hub_wins","type":"number","minimum":0.5,"maximum":10,"enum":[1,2.50,{"a":null}],"description":"bar \"g\""},)"
    R"({"path":"mode","rule":"keep_both","type":"string"},{"path":"*","rule":"device_wins"}])";

TEST(ContextDeclarations, they_read_back_as_they_were_written) {
  const Declarations declarations = parsed(everything);
  ASSERT_EQ(declarations.list().size(), 3u);
  EXPECT_EQ(declarations.list()[0].allowed, (std::vector<std::string>{"1", "2.50", "{\"a\":null}"}));
  EXPECT_EQ(declarations.list()[0].description, "bar \"g\"");
  EXPECT_EQ(parsed(write_declarations(declarations)), declarations);
  EXPECT_EQ(write_declarations(parsed(write_declarations(declarations))), write_declarations(declarations)) << "hashes of it are compared";
  EXPECT_EQ(write_declarations(Declarations{}), "[]");
}

TEST(ContextDeclarations, white_space_and_members_of_newer_versions_do_not_matter) {
  const Declarations declarations = parsed(" [ { \"path\" : \"a\" , \"colour\" : [ 1 ] , \"enum\" : [ \"x\" , { \"y\" : 1 } ] } ]\n");
  ASSERT_EQ(declarations.list().size(), 1u);
  EXPECT_EQ(declarations.list()[0].allowed, (std::vector<std::string>{"\"x\"", "{\"y\":1}"}));
}

TEST(ContextDeclarations, the_first_pattern_that_matches_decides) {
  const Declarations declarations = parsed(everything);
  EXPECT_EQ(declarations.rule("pump/7/setpoint"), Rule::hub_wins);
  EXPECT_EQ(declarations.rule("pump/a/b/setpoint"), Rule::hub_wins) << "* runs over /";
  EXPECT_EQ(declarations.rule("mode"), Rule::keep_both);
  EXPECT_EQ(declarations.rule("other"), Rule::device_wins);
  EXPECT_EQ(Declarations{}.rule("other"), Rule::last_writer);
  EXPECT_EQ(Declarations{}.of("other"), nullptr);
}

std::string problem(const char* members, const char* value) { return parsed(std::string("[{\"path\":\"a\"") + members + "}]").problem_with("a", value); }

TEST(ContextDeclarations, a_value_of_another_type_is_refused_with_the_type) {
  static constexpr const char* types[][3] = {{"boolean", "true", "1"},  {"integer", "7", "7.5"},   {"integer", "7.0", "\"7\""},  {"integer", "-1e3", "null"}, {"number", "7.5", "\"x\""},
                                             {"string", "\"x\"", "[]"}, {"object", "{}", "[]"}, {"array", "[1]", "{}"}, {"boolean", "false", "null"}};
  for (const auto& [type, good, bad] : types) {
    const std::string members = std::string(",\"type\":\"") + type + "\"";
    EXPECT_EQ(problem(members.c_str(), good), "") << type;
    EXPECT_EQ(problem(members.c_str(), bad), std::string("must be of type ") + type);
  }
  for (const char* any : {"null", "1", "\"x\"", "[]", "{}"}) EXPECT_EQ(problem(",\"type\":\"any\"", any), "");
}

TEST(ContextDeclarations, values_outside_bounds_or_choices_are_refused_with_what_is_allowed) {
  const char* range = R"(,"minimum":0.5,"maximum":10)";
  EXPECT_EQ(problem(range, "0.5"), "");
  EXPECT_EQ(problem(range, "10"), "");
  EXPECT_EQ(problem(range, "0.49"), "must be at least 0.5");
  EXPECT_EQ(problem(range, "10.01"), "must be at most 10");
  EXPECT_EQ(problem(range, "\"x\""), "") << "bounds are of numbers";
  const char* choice = R"(,"enum":["auto","off",{"x":1}])";
  EXPECT_EQ(problem(choice, "\"auto\""), "");
  EXPECT_EQ(problem(choice, R"({"x":1.0})"), "");
  EXPECT_EQ(problem(choice, "\"on\""), R"(must be one of "auto", "off", {"x":1})");
  EXPECT_EQ(parsed(everything).problem_with("undeclared/but/starred", "1"), "");
  EXPECT_EQ(Declarations{}.problem_with("a", "1"), "");
}

TEST(ContextDeclarations, what_cannot_be_is_refused) {
  for (const char* json : {"", "{}", "[1]", "[{}]", R"([{"path":1}])", R"([{"path":"a","rule":"first"}])", R"([{"path":"a","type":"float"}])"}) {
    EXPECT_FALSE(parse_declarations(json)) << json;
  }
}

TEST(ContextDeclarations, there_are_64_of_64_choices_and_48_kib_and_a_pattern_is_no_longer_than_a_path) {
  Declarations declarations;
  Declaration one;
  one.pattern = "a";
  for (size_t i = 0; i < limits::declarations; ++i) EXPECT_TRUE(declarations.add(one));
  EXPECT_FALSE(declarations.add(one));
  one.pattern.assign(limits::path_bytes, 'a');
  EXPECT_TRUE(Declarations{}.add(one));
  one.pattern += 'a';
  EXPECT_FALSE(Declarations{}.add(one));

  std::string choices = "1";
  for (size_t i = 1; i < limits::enum_values; ++i) choices += ",1";
  EXPECT_TRUE(parse_declarations(R"([{"path":"a","enum":[)" + choices + "]}]"));
  EXPECT_FALSE(parse_declarations(R"([{"path":"a","enum":[)" + choices + ",1]}]"));
}

TEST(ContextDeclarations, what_was_accepted_can_be_sent) {
  Declarations declarations;
  Declaration one;
  one.pattern = "a";
  one.description.assign(5'000, '"');  // twice as long as JSON
  while (declarations.add(one)) {
  }
  EXPECT_LE(write_declarations(declarations).size(), limits::declarations_bytes);
  EXPECT_GT(write_declarations(declarations).size(), limits::declarations_bytes - 11'000);
  EXPECT_TRUE(parse_declarations(write_declarations(declarations)));
}

TEST(ContextDeclarations, rules_and_types_have_names_that_read_back) {
  for (const Rule rule : {Rule::last_writer, Rule::device_wins, Rule::hub_wins, Rule::keep_both}) {
    Rule again = Rule::last_writer;
    EXPECT_TRUE(parse_rule(rule_name(rule), again));
    EXPECT_EQ(again, rule);
  }
  for (const ValueType type : {ValueType::any, ValueType::boolean, ValueType::integer, ValueType::number, ValueType::text, ValueType::object, ValueType::array}) {
    ValueType again = ValueType::any;
    EXPECT_TRUE(parse_value_type(value_type_name(type), again));
    EXPECT_EQ(again, type);
  }
}

}  // namespace
}  // namespace tideline::context

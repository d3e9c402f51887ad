#include "agent/gateway/action_command.hpp"

#include <gtest/gtest.h>

#include "mcp/schema_check.hpp"

namespace tideline::test {
namespace {

using agent::ActionArgument;
using agent::ActionConfig;
using agent::ArgumentType;

ActionArgument argument(std::string name, ArgumentType type = ArgumentType::string) {
  ActionArgument one;
  one.name = std::move(name);
  one.type = type;
  return one;
}

ActionConfig action(std::vector<std::string> command, std::vector<ActionArgument> arguments) {
  ActionConfig one;
  one.name = "do";
  one.description = "Does it.";
  one.command = std::move(command);
  one.arguments = std::move(arguments);
  return one;
}

using Texts = std::vector<std::string>;

Texts made(const ActionConfig& config, std::string_view arguments) {
  EXPECT_EQ(agent::action_problem(config), "");
  const agent::ActionCommand command = agent::make_command(config, mcp::Slice(arguments));
  EXPECT_EQ(command.problem, "");
  return command.arguments;
}

std::string refused(const ActionConfig& config, std::string_view arguments) {
  EXPECT_EQ(agent::action_problem(config), "");
  const agent::ActionCommand command = agent::make_command(config, mcp::Slice(arguments));
  EXPECT_TRUE(command.arguments.empty());
  return command.problem;
}

TEST(ActionCommand, AValueIsOneElementWhateverItHolds) {
  const ActionConfig config = action({"/bin/echo", "{x}", "--y={x}", "end"}, {argument("x")});
  const std::string nasty = "a b; rm -rf / $(id) `id` \" ' \\ | & > * \n \t {x}";
  EXPECT_EQ(made(config, R"({"x":"a b; rm -rf / $(id) `id` \" ' \\ | & > * \n \t {x}"})"), (Texts{"/bin/echo", nasty, "--y=" + nasty, "end"}));
}

TEST(ActionCommand, NoValueMakesAnOptionOfAnElement) {
  const ActionConfig config = action({"cat", "{x}"}, {argument("x")});
  EXPECT_NE(refused(config, R"({"x":"-rf"})").find("arguments.x"), std::string::npos);
  EXPECT_NE(refused(config, R"({"x":"--help"})"), "");
  EXPECT_EQ(made(config, R"({"x":"a-b"})"), (Texts{"cat", "a-b"}));
  EXPECT_NE(refused(action({"cat", "{x}.txt"}, {argument("x")}), R"({"x":"-r"})"), "") << "also when more follows";
  EXPECT_NE(refused(action({"cat", "{x}-{y}"}, {argument("x"), argument("y")}), R"({"x":"","y":"rf"})"), "") << "also by being empty";
  EXPECT_NE(refused(action({"cat", "{x}{y}"}, {argument("x"), argument("y")}), R"({"x":"","y":"-rf"})"), "");
  EXPECT_EQ(made(action({"cat", "-{x}"}, {argument("x")}), R"({"x":"r"})"), (Texts{"cat", "-r"})) << "the operator wrote this option";
}

TEST(ActionCommand, TheOperatorMayAllowADash) {
  ActionConfig config = action({"cat", "{x}"}, {argument("x")});
  config.arguments[0].allow_dash = true;
  EXPECT_EQ(made(config, R"({"x":"-n"})"), (Texts{"cat", "-n"}));
  config.arguments[0].allow_dash = false;
  config.arguments[0].values = {"-n", "x"};
  EXPECT_EQ(made(config, R"({"x":"-n"})"), (Texts{"cat", "-n"}));
  ActionConfig number = action({"set", "{n}"}, {argument("n", ArgumentType::integer)});
  EXPECT_NE(refused(number, R"({"n":-5})"), "");
  number.arguments[0].minimum = -20;
  EXPECT_EQ(made(number, R"({"n":-5})"), (Texts{"set", "-5"}));
}

TEST(ActionCommand, NumbersAndBooleansAreWrittenPlainly) {
  ActionConfig config = action({"set", "{i}", "{n}", "{b}"}, {argument("i", ArgumentType::integer), argument("n", ArgumentType::number), argument("b", ArgumentType::boolean)});
  EXPECT_EQ(made(config, R"({"i":9007199254740993,"n":2.50,"b":true})"), (Texts{"set", "9007199254740993", "2.5", "true"}));
  EXPECT_EQ(made(config, R"({"i":3.0,"n":1e2,"b":false})"), (Texts{"set", "3", "100", "false"}));
  EXPECT_NE(refused(config, R"({"i":123456789012345678901234567890,"n":1,"b":true})"), "");
}

TEST(ActionCommand, ATextWithNulIsRefused) {
  EXPECT_NE(refused(action({"cat", "{x}"}, {argument("x")}), R"({"x":"a\u0000b"})").find("NUL"), std::string::npos);
}

TEST(ActionCommand, AnElementWhoseArgumentIsAbsentIsLeftOut) {
  ActionConfig config = action({"cut", "--from={a}", "{b}"}, {argument("a"), argument("b")});
  config.arguments[0].required = false;
  config.arguments[1].has_fallback = true;
  config.arguments[1].fallback = "all";
  EXPECT_EQ(made(config, "{}"), (Texts{"cut", "all"}));
  EXPECT_EQ(made(config, R"({"a":"1","b":"2"})"), (Texts{"cut", "--from=1", "2"}));
}

TEST(ActionCommand, OtherBracesAreText) {
  const ActionConfig config = action({"awk", "{{x}} {print $1} {} { x } {x}"}, {argument("x")});
  EXPECT_EQ(made(config, R"({"x":"v"})"), (Texts{"awk", "{x} {print $1} {} { x } v"}));
}

TEST(ActionCommand, AValueWithAPlaceholderIsNotReplacedAgain) {
  const ActionConfig config = action({"echo", "{a}", "{b}"}, {argument("a"), argument("b")});
  EXPECT_EQ(made(config, R"({"a":"{b}","b":"secret"})"), (Texts{"echo", "{b}", "secret"}));
}

TEST(ActionCommand, MistakesOfTheOperatorAreNamed) {
  EXPECT_NE(agent::action_problem(action({"cat", "{y}"}, {argument("x")})).find("{y}"), std::string::npos);
  EXPECT_NE(agent::action_problem(action({"{x}", "a"}, {argument("x")})).find("program"), std::string::npos);
  EXPECT_NE(agent::action_problem(action({"cat"}, {argument("x")})).find("does not use"), std::string::npos);
  EXPECT_NE(agent::action_problem(action({}, {})).find("command"), std::string::npos);
  ActionConfig ranged = action({"cat", "{x}"}, {argument("x")});
  ranged.arguments[0].minimum = 1;
  EXPECT_NE(agent::action_problem(ranged).find("minimum"), std::string::npos);
}

TEST(ActionCommand, TheSchemaSaysWhatTheOperatorSaid) {
  ActionConfig config = action({"cat", "{zone}", "{n}"}, {argument("zone"), argument("n", ArgumentType::integer)});
  config.read_only = true;
  config.arguments[0].values = {"north", "south"};
  config.arguments[1].minimum = 1;
  config.arguments[1].maximum = 3;
  config.arguments[1].required = false;
  const mcp::Tool tool = agent::action_tool(config);
  const mcp::Slice schema(tool.input_schema_json);
  EXPECT_EQ(mcp::check_arguments(schema, mcp::Slice(R"({"zone":"north","n":3})")), "");
  EXPECT_NE(mcp::check_arguments(schema, mcp::Slice(R"({"zone":"east"})")), "");
  EXPECT_NE(mcp::check_arguments(schema, mcp::Slice(R"({"zone":"north","n":4})")), "");
  EXPECT_NE(mcp::check_arguments(schema, mcp::Slice(R"({"zone":"north","n":"1"})")), "");
  EXPECT_NE(mcp::check_arguments(schema, mcp::Slice(R"({"zone":"north","more":1})")), "");
  EXPECT_NE(mcp::check_arguments(schema, mcp::Slice("{}")), "");
  EXPECT_TRUE(mcp::read_hints(mcp::Slice(tool.annotations_json)).is_read_only);
  EXPECT_TRUE(mcp::check_json(tool.output_schema_json));
}

}  // namespace
}  // namespace tideline::test

#include "base/arguments.hpp"

#include <gtest/gtest.h>

#include "base/table.hpp"

namespace tideline {
namespace {

constexpr Option options[] = {{"config", "FILE", "configuration"}, {"json", "", "print JSON"}};
constexpr Command commands[] = {{"record", "NAME=VALUE...", "store readings", "", options}, {"token create", "", "make a token", "", options}};

std::string error_of(std::vector<const char*> words, const Command& command = commands[0]) {
  Arguments out;
  std::string error;
  EXPECT_FALSE(Arguments::parse(command, words, out, error));
  return error;
}

TEST(Arguments, options_and_words_mix) {
  const std::vector<const char*> words{"a=1", "--config", "x.toml", "--json", "b=2", "--", "--c=3"};
  Arguments out;
  std::string error;
  ASSERT_TRUE(Arguments::parse(commands[0], words, out, error)) << error;
  EXPECT_EQ(out.get("config"), "x.toml");
  EXPECT_TRUE(out.has("json"));
  EXPECT_EQ(out.words(), (std::vector<std::string>{"a=1", "b=2", "--c=3"}));
}

TEST(Arguments, errors_name_the_option_and_the_nearest_known) {
  EXPECT_EQ(error_of({"--confg", "x"}), "unknown option --confg for 'record'; did you mean --config?");
  EXPECT_EQ(error_of({"--zzz"}), "unknown option --zzz for 'record'; see --help");
  EXPECT_EQ(error_of({"--config"}), "option --config needs a value: FILE");
  EXPECT_EQ(error_of({"--json=1"}), "option --json takes no value");
  EXPECT_EQ(error_of({"extra"}, commands[1]), "'token create' takes no argument, but 'extra' was given");
}

TEST(Arguments, two_word_commands_are_found_first) {
  const std::vector<const char*> list{"token", "create", "--json"};
  std::span<const char* const> words(list);
  const Command* command = find_command(commands, words);
  ASSERT_NE(command, nullptr);
  EXPECT_EQ(command->name, "token create");
  EXPECT_EQ(words.size(), 1u);
  EXPECT_EQ(find_command(commands, words), nullptr);
}

TEST(Table, columns_align_by_code_points) {
  Table table;
  table.add_column("name");
  table.add_column("n", Table::Align::right);
  table.add_row({"caf\xc3\xa9", "5"});
  table.add_row({"x", "100"});
  EXPECT_EQ(table.text(), "name    n\ncaf\xc3\xa9    5\nx     100\n");
}

}  // namespace
}  // namespace tideline

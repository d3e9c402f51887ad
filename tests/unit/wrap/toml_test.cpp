#include <gtest/gtest.h>

#include <string>

#include "base/limits.hpp"
#include "wrap/toml/document.hpp"
#include "wrap/toml/keys.hpp"

namespace tideline::toml {
namespace {

enum class Colour : uint8_t { red, green };
bool parse_colour(std::string_view text, Colour& out) {
  if (text != "red" && text != "green") return false;
  out = text == "red" ? Colour::red : Colour::green;
  return true;
}
const char* colour_name(Colour colour) { return colour == Colour::red ? "red" : "green"; }

struct Section {
  std::string name = "x";
  bool on = false;
  int64_t count = 3;
  double ratio = 0.5;
  std::optional<double> band;
  Duration wait = seconds(90);
  std::optional<Duration> gap;
  uint64_t size = 64 * 1024;
  std::vector<std::string> words = {"a"};
  TextPairs labels;
  Colour colour = Colour::green;
  std::optional<Colour> other;
};

constexpr Key<Section> rows[] = {
    {"name", slot<&Section::name>, "A name."},
    {"on", slot<&Section::on>, "On or off."},
    {"count", slot<&Section::count>, "A count.", 1, 10},
    {"ratio", slot<&Section::ratio>, "A ratio.", 0},
    {"band", slot<&Section::band>, "A band.", 0},
    {"wait", slot<&Section::wait>, "A wait.", 1e9, 3600e9},
    {"gap", slot<&Section::gap>, "A gap.", 0, 1e9},
    {"size", slot<&Section::size>, "A size.", 1024, 1048576},
    {"words", slot<&Section::words>, "Words."},
    {"labels", slot<&Section::labels>, "Labels."},
    {"colour", choice<&Section::colour, parse_colour, colour_name, "red or green">, "A colour."},
    {"other", choice<&Section::other, parse_colour, colour_name, "red or green">, "Another."},
};
constexpr std::span<const Key<Section>> keys = rows;

std::vector<std::string> read(std::string_view text, Section& out) {
  Value root;
  Problem problem;
  EXPECT_TRUE(parse(text, root, problem)) << problem.text;
  Reader reader("test.toml");
  reader.read(root, "part", keys, out);
  return reader.problems();
}

std::string only_problem(std::string_view text) {
  Section section;
  const auto problems = read(text, section);
  return problems.size() == 1 ? problems.front() : "there are " + std::to_string(problems.size());
}

TEST(TomlDocument, keeps_lines_and_the_order_of_the_file) {
  Value root;
  Problem problem;
  ASSERT_TRUE(parse("z = 1\na = [true, 2.5]\n[part.inner]\nwhen = 2026-11-21T03:04:05.5+01:30\nday = 2026-11-21\n", root, problem));
  EXPECT_EQ(root.names, (std::vector<std::string>{"z", "a", "part"}));
  EXPECT_EQ(root.find("a")->line, 2u);
  EXPECT_EQ(root.find("a")->items[1].real, 2.5);
  const Value* inner = root.find("part")->find("inner");
  EXPECT_EQ(inner->find("when")->text, "2026-11-21T03:04:05.500000000+01:30");
  EXPECT_EQ(inner->find("when")->line, 4u);
  EXPECT_EQ(inner->find("day")->text, "2026-11-21");
  EXPECT_EQ(root.find("nothing"), nullptr);
}

TEST(TomlDocument, a_wrong_text_names_its_line) {
  Value root;
  Problem problem;
  EXPECT_FALSE(parse("a = 1\nb = = 2\n", root, problem));
  EXPECT_EQ(problem.line, 2u);
  EXPECT_FALSE(parse("a = 1\na = 2\n", root, problem));
  EXPECT_EQ(problem.line, 2u);
  EXPECT_FALSE(parse("a = \"\xff\"", root, problem));
  EXPECT_FALSE(parse(std::string(limits::config_bytes + 1, '\n'), root, problem));
  EXPECT_TRUE(parse(std::string(limits::config_bytes, '\n'), root, problem));
}

TEST(TomlDocument, a_wrong_header_is_a_problem_not_the_end_of_the_process) {
  for (const char* text : {"[=x]", "[[[1]]]", "[[=", "[\x02\x03]", "[[a]", "[", "[[", "[a.]", "[a", "[.a]"}) {
    Value root;
    Problem problem;
    EXPECT_FALSE(parse(text, root, problem)) << text;
    EXPECT_EQ(problem.line, 1u) << text;
    EXPECT_NE(problem.text, "") << text;
  }
}

TEST(TomlDocument, other_characters_than_ascii_stand_only_in_quotations_and_comments) {
  Value root;
  Problem problem;
  constexpr const char* sound = "\xef\xbb\xbf# \xc3\xa9 '\n'\xef\xbb\x9f' = \"\"\"\n\xc3\xa9\n\\\"\"\"\"\n\"\\\"\xc3\xa9\" = '''\xc3\xa9'\n'''\nz = 'end'";
  EXPECT_TRUE(parse(sound, root, problem)) << problem.line << problem.text;
  EXPECT_EQ(root.find("z")->line, 7u);
  EXPECT_FALSE(parse("a = '''\n\n'''\n[\xef\xbb\x9f]", root, problem));
  EXPECT_EQ(problem.line, 4u);
  EXPECT_FALSE(parse("a = \x01", root, problem));
}

TEST(TomlKeys, every_kind_of_key_is_read) {
  Section s;
  const auto problems = read(
      "name = 'n'\non = true\ncount = 7\nratio = 2\nband = 0.5\nwait = '2s'\ngap = '5ms'\nsize = '2 KiB'\nwords = ['b','c']\n"
      "labels = { site = 'north' }\ncolour = 'red'\nother = 'green'\n", s);
  EXPECT_TRUE(problems.empty()) << problems.front();
  EXPECT_EQ(s.name, "n");
  EXPECT_TRUE(s.on);
  EXPECT_EQ(s.count, 7);
  EXPECT_EQ(s.ratio, 2);
  EXPECT_EQ(s.band, 0.5);
  EXPECT_EQ(s.wait, seconds(2));
  EXPECT_EQ(s.gap, milliseconds(5));
  EXPECT_EQ(s.size, 2048u);
  EXPECT_EQ(s.words, (std::vector<std::string>{"b", "c"}));
  EXPECT_EQ(s.labels, (TextPairs{{"site", "north"}}));
  EXPECT_EQ(s.colour, Colour::red);
  EXPECT_EQ(s.other, Colour::green);
}

TEST(TomlKeys, a_problem_says_file_line_key_and_what_is_allowed) {
  EXPECT_EQ(only_problem("\nnaem = 'x'"), "test.toml:2: unknown key 'naem' in [part]; did you mean 'name'?");
  EXPECT_EQ(only_problem("wait = 5"), "test.toml:1: [part] wait: expected a duration with its unit, such as \"5s\" or \"250ms\", found 5");
  EXPECT_EQ(only_problem("wait = '10'"), "test.toml:1: [part] wait: expected a duration with its unit, such as \"5s\" or \"250ms\", found \"10\"");
  EXPECT_EQ(only_problem("wait = '10ms'"), "test.toml:1: [part] wait: \"10ms\" is out of range: it must be from 1s to 1h");
  EXPECT_EQ(only_problem("size = '2 MiB'"), "test.toml:1: [part] size: \"2 MiB\" is out of range: it must be from 1 KiB to 1 MiB");
  EXPECT_EQ(only_problem("count = 11"), "test.toml:1: [part] count: 11 is out of range: it must be from 1 to 10");
  EXPECT_EQ(only_problem("count = 1.5"), "test.toml:1: [part] count: expected a whole number, found 1.5");
  EXPECT_EQ(only_problem("ratio = -1"), "test.toml:1: [part] ratio: -1 is out of range: it must be at least 0");
  EXPECT_EQ(only_problem("ratio = nan"), "test.toml:1: [part] ratio: expected a number, found NaN");
  EXPECT_EQ(only_problem("colour = 'blue'"), "test.toml:1: [part] colour: expected red or green, found \"blue\"");
  EXPECT_EQ(only_problem("words = ['a', 1]"), "test.toml:1: [part] words: expected a list of texts, found a list");
  EXPECT_EQ(only_problem("on = 1"), "test.toml:1: [part] on: expected true or false, found 1");
}

TEST(TomlKeys, a_problem_is_one_line_whatever_the_key) {
  EXPECT_EQ(only_problem("\"a\\n\\u001bz\" = 1").find_first_of("\n\x1b"), std::string::npos);
}

TEST(TomlKeys, bounds_themselves_are_allowed) {
  Section s;
  EXPECT_TRUE(read("count = 10\nwait = '1s'\nsize = '1 MiB'\nratio = 0", s).empty());
}

TEST(TomlKeys, problems_are_all_told_up_to_the_bound) {
  std::string text;
  for (int i = 0; i < 30; ++i) text += "unknown" + std::to_string(i) + " = 1\n";
  Section s;
  EXPECT_EQ(read(text, s).size(), problems_most);
}

TEST(TomlKeys, the_documentation_reads_back_as_the_defaults) {
  const std::string text = describe_section<Section>("part", "A part.", keys);
  Value root;
  Problem problem;
  ASSERT_TRUE(parse(text, root, problem)) << problem.text << "\n" << text;
  Section s;
  s.count = 5;
  Reader reader("doc");
  reader.read(*root.find("part"), "part", keys, s);
  EXPECT_TRUE(reader.problems().empty()) << reader.problems().front();
  EXPECT_EQ(s.count, 3);
  EXPECT_EQ(s.wait, seconds(90));
  EXPECT_FALSE(s.band.has_value());
  EXPECT_NE(text.find("# a whole number, from 1 to 10\ncount = 3\n"), text.npos) << text;
}

TEST(TomlKeys, durations_and_sizes_are_written_exactly) {
  EXPECT_EQ(write_duration(milliseconds(1500)), "1500ms");
  EXPECT_EQ(write_duration(hours(48)), "2d");
  EXPECT_EQ(write_duration({}), "0s");
  EXPECT_EQ(write_duration(nanoseconds(7)), "7ns");
  EXPECT_EQ(write_size(1536), "1536 B");
  EXPECT_EQ(write_size(3ull << 30), "3 GiB");
}

}  // namespace
}  // namespace tideline::toml

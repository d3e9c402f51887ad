#include "agent/gateway/child_lists.hpp"

#include <gtest/gtest.h>

namespace tideline::test {
namespace {

using agent::ChildConfig;
using agent::ChildLists;
using mcp::ListKind;

ChildConfig config(std::string prefix = "pump") {
  ChildConfig one;
  one.name = "pump";
  one.command = {"server"};
  one.prefix = std::move(prefix);
  return one;
}

std::string tool(std::string_view name) { return R"({"name":")" + std::string(name) + R"(","inputSchema":{"type":"object"}})"; }

TEST(ChildLists, ToolsAndPromptsCarryThePrefixAndKnowTheWayBack) {
  const ChildConfig child = config();
  ChildLists lists(child);
  lists.take(ListKind::tools, {tool("start"), tool("a__b")});
  lists.take(ListKind::prompts, {R"({"name":"explain it"})"});
  ASSERT_EQ(lists.offer().tools.size(), 2u);
  EXPECT_EQ(lists.offer().tools[0].name, "pump__start");
  EXPECT_TRUE(lists.offer().tools[0].is_relayed);
  EXPECT_EQ(*lists.find_tool("pump__a__b"), "a__b");
  EXPECT_EQ(lists.find_tool("start"), nullptr);
  EXPECT_EQ(*lists.find_prompt("pump__explain it"), "explain it");
}

TEST(ChildLists, WithoutAPrefixNamesAreUntouched) {
  const ChildConfig child = config("");
  ChildLists lists(child);
  const std::string longest(128, 'n');
  lists.take(ListKind::tools, {tool("start"), tool(longest)});
  EXPECT_NE(lists.find_tool("start"), nullptr);
  EXPECT_EQ(*lists.find_tool(longest), longest);
}

TEST(ChildLists, ALongNameIsShortenedAlwaysTheSameWayAndStaysItsOwn) {
  const ChildConfig child = config();
  ChildLists lists(child);
  const std::string one = std::string(70, 'n') + "1";
  const std::string two = std::string(70, 'n') + "2";
  lists.take(ListKind::tools, {tool(one), tool(two), tool(std::string(58, 'm'))});
  ASSERT_EQ(lists.offer().tools.size(), 3u);
  EXPECT_EQ(lists.offer().tools[0].name.size(), 64u);
  EXPECT_NE(lists.offer().tools[0].name, lists.offer().tools[1].name);
  EXPECT_EQ(*lists.find_tool(lists.offer().tools[1].name), two);
  EXPECT_EQ(lists.offer().tools[2].name, "pump__" + std::string(58, 'm')) << "64 fit";
  ChildLists again(child);
  again.take(ListKind::tools, {tool(two)});
  EXPECT_EQ(again.offer().tools[0].name, lists.offer().tools[1].name);
}

TEST(ChildLists, ABadDefinitionIsLeftOutAloneAndToldOnce) {
  const ChildConfig child = config();
  ChildLists lists(child);
  const std::vector<std::string> items = {tool("good"), R"({"name":"bad"})", "7", tool("also_good"), tool("good")};
  EXPECT_EQ(lists.take(ListKind::tools, items).size(), 2u);
  EXPECT_EQ(lists.offer().tools.size(), 2u);
  ASSERT_EQ(lists.quarantined().size(), 2u);
  EXPECT_NE(lists.quarantined()[0].find("bad: inputSchema"), std::string::npos);
  EXPECT_TRUE(lists.take(ListKind::tools, items).empty());
  lists.take(ListKind::tools, {tool("good")});
  EXPECT_TRUE(lists.quarantined().empty());
}

TEST(ChildLists, TheOperatorChoosesTools) {
  ChildConfig child = config();
  child.include = {"read_*", "list"};
  child.exclude = {"*_secret"};
  ChildLists lists(child);
  lists.take(ListKind::tools, {tool("read_a"), tool("read_secret"), tool("write"), tool("list")});
  EXPECT_EQ(lists.offer().tools.size(), 2u);
  EXPECT_NE(lists.find_tool("pump__read_a"), nullptr);
  EXPECT_NE(lists.find_tool("pump__list"), nullptr);
}

TEST(ChildLists, UrisAreFoundByListAndByTemplate) {
  const ChildConfig child = config();
  ChildLists lists(child);
  lists.take(ListKind::resources, {R"({"uri":"a://one","name":"one"})"});
  lists.take(ListKind::templates, {R"({"uriTemplate":"a://item/{id}/x{?q}","name":"t"})"});
  EXPECT_TRUE(lists.has_uri("a://one"));
  EXPECT_TRUE(lists.has_uri("a://item/7/x"));
  EXPECT_TRUE(lists.has_uri("a://item/7/x?q=1"));
  EXPECT_FALSE(lists.has_uri("a://two"));
  EXPECT_TRUE(lists.has_template("a://item/{id}/x{?q}"));
}

TEST(ChildLists, AListIsKeptAsItWasForTheSameCommandAlone) {
  const std::vector<std::string> items = {tool("a"), R"({"name":"b","x":9007199254740993})"};
  const std::string source = agent::source_of(config());
  const std::string note = agent::list_note(source, "legacy", items);
  const auto stored = agent::read_list_note(note, source);
  ASSERT_TRUE(stored.has_value());
  EXPECT_EQ(stored->items, items);
  EXPECT_EQ(stored->era, "legacy");
  ChildConfig other = config();
  other.env = {{"KEY", "2"}};
  EXPECT_FALSE(agent::read_list_note(note, agent::source_of(other)));
  EXPECT_FALSE(agent::read_list_note(note.substr(1), source));
  EXPECT_FALSE(agent::read_list_note("{}", source));
  EXPECT_EQ(agent::list_note(source, "legacy", {std::string(limits::child_note_bytes + 1, ' ')}), "");
}

TEST(ChildLists, WhatDecidesTheListsIsPartOfTheirSource) {
  ChildConfig joined = config();
  joined.command = {"serv", "er"};
  EXPECT_NE(agent::source_of(joined), agent::source_of(config()));
  ChildConfig elsewhere = config();
  elsewhere.directory = "/tmp";
  EXPECT_NE(agent::source_of(elsewhere), agent::source_of(config()));
  EXPECT_EQ(agent::source_of(config("")), agent::source_of(config())) << "the prefix does not";
}

}  // namespace
}  // namespace tideline::test

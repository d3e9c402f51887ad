#include "mcp/catalog.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"
#include "mcp/json_write.hpp"

namespace tideline::mcp {
namespace {

Tool named(const std::string& name, size_t description_bytes = 0) {
  Tool tool;
  tool.name = name;
  tool.description = std::string(description_bytes, 'd');
  return tool;
}
std::vector<Tool> many(size_t count, size_t description_bytes = 0) {
  std::vector<Tool> tools;
  for (size_t i = 0; i < count; ++i) tools.push_back(named("tool" + std::to_string(10000 + i), description_bytes));
  return tools;
}
size_t entries(const Page& page) {
  size_t count = 0;
  for (Walk walk(find_member(Slice(page.body), "tools")); walk.next();) ++count;
  return count;
}
Page page_of(const ListCatalog& catalog, std::string_view cursor = {}) {
  return list_page(catalog, ListKind::tools, newest_modern, Slice(cursor));
}

TEST(Catalog, ListsInOneOrderWhateverTheOrderOfFilling) {
  ListCatalog a, b;
  a.set_tools({named("b"), named("a"), named("c")});
  b.set_tools({named("c"), named("a"), named("b")});
  EXPECT_EQ(page_of(a).body, page_of(b).body);
  EXPECT_EQ(a.version(ListKind::tools), b.version(ListKind::tools));
}

TEST(Catalog, SaysWhetherAListChanged) {
  ListCatalog catalog;
  EXPECT_TRUE(catalog.set_tools({named("a")}));
  EXPECT_FALSE(catalog.set_tools({named("a")}));
  EXPECT_TRUE(catalog.set_tools({named("a", 1)}));
  EXPECT_TRUE(catalog.set_prompts({Prompt{.name = "p"}}));
  EXPECT_TRUE(catalog.set_resources({Resource{.uri = "u", .name = "n"}}));
  EXPECT_TRUE(catalog.set_templates({ResourceTemplate{.uri_template = "u", .name = "n"}}));
}

TEST(Catalog, FindsByExactName) {
  ListCatalog catalog;
  catalog.set_tools(many(50));
  ASSERT_NE(catalog.find_tool("tool10007"), nullptr);
  EXPECT_EQ(catalog.find_tool("tool10007")->name, "tool10007");
  EXPECT_EQ(catalog.find_tool("Tool10007"), nullptr);
  EXPECT_EQ(catalog.find_prompt("x"), nullptr);
}

TEST(Catalog, PagesCoverTheListOnce) {
  ListCatalog catalog;
  catalog.set_tools(many(2 * limits::mcp_page_items + 1));
  std::string cursor;
  size_t seen = 0, pages = 0;
  do {
    const Page page = page_of(catalog, cursor);
    ASSERT_FALSE(page.problem.has_value());
    EXPECT_TRUE(check_json(page.body).has_value());
    seen += entries(page);
    ++pages;
    cursor = find_member(Slice(page.body), "nextCursor").raw();
  } while (!cursor.empty());
  EXPECT_EQ(seen, catalog.size(ListKind::tools));
  EXPECT_EQ(pages, 3u);
}

TEST(Catalog, ALastPageThatIsFullHasNoCursor) {
  ListCatalog catalog;
  catalog.set_tools(many(limits::mcp_page_items));
  EXPECT_EQ(page_of(catalog).body.find("nextCursor"), std::string::npos);
}

TEST(Catalog, CutsPagesByBytesButGivesAtLeastOneEntry) {
  ListCatalog catalog;
  catalog.set_tools(many(20, 60 * 1024));
  EXPECT_LE(page_of(catalog).body.size(), limits::mcp_page_bytes + 100);
  EXPECT_EQ(entries(page_of(catalog)), 4u);
  catalog.set_tools(many(2, limits::mcp_page_bytes + 1));
  EXPECT_EQ(entries(page_of(catalog)), 1u);
}

TEST(Catalog, RefusesCursorsThatAreStaleOrNotOurs) {
  ListCatalog catalog;
  catalog.set_tools(many(limits::mcp_page_items + 5));
  const Page first = page_of(catalog);
  const std::string cursor(find_member(Slice(first.body), "nextCursor").raw());
  EXPECT_FALSE(page_of(catalog, cursor).problem.has_value());
  for (const char* wrong : {"\"\"", "\"x\"", "5", "null", "\"1.500\"", "\"zz.1\""}) EXPECT_TRUE(page_of(catalog, wrong).problem.has_value()) << wrong;
  std::string beyond = cursor;
  beyond.insert(beyond.size() - 1, "0");
  EXPECT_TRUE(page_of(catalog, beyond).problem.has_value());
  catalog.set_tools(many(limits::mcp_page_items + 6));
  const Page stale = page_of(catalog, cursor);
  ASSERT_TRUE(stale.problem.has_value());
  EXPECT_EQ(stale.problem->code, RpcCode::invalid_params);
}

}  // namespace
}  // namespace tideline::mcp

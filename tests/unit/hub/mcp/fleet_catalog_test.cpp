#include "hub/mcp/fleet_catalog.hpp"

#include <gtest/gtest.h>

namespace tideline::hub {
namespace {

class FleetCatalogTest : public testing::Test {
 protected:
  FleetCatalogTest() {
    for (const char* id : {"a-1", "a-2", "b-1"}) {
      DeviceRecord record;
      record.key = static_cast<DeviceKey>(registry.size()) + 1;
      record.id = id;
      EXPECT_TRUE(registry.put(record));
    }
  }
  /// `tools`: raw definitions.
  Result<Catalogs::Change> tell(DeviceKey device, const std::string& tools, const char* hash = "0000000000000001") {
    const std::string text = R"({"hash":")" + std::string(hash) + R"(","tools":[)" + tools + "]}";
    return catalogs.put(device, *mcp::check_json(text));
  }
  static std::string tool(const std::string& name, const std::string& properties = "", bool is_read_only = false) {
    return R"({"name":")" + name + R"(","description":"d","inputSchema":{"type":"object","properties":{)" + properties + R"(}},"annotations":{"readOnlyHint":)" +
           (is_read_only ? "true" : "false") + "}}";
  }
  std::vector<std::string> names(const Principal& principal) {
    std::vector<std::string> all;
    for (const mcp::Tool& one : fleet.of(principal).lists.tools()) all.push_back(one.name);
    return all;
  }

  Registry registry;
  Catalogs catalogs;
  FleetOffer own{{[] {
                   mcp::Tool tool;
                   tool.name = "latest";
                   tool.annotations_json = R"({"readOnlyHint":true})";
                   return tool;
                 }()},
                 {}, {}, {}};
  FleetCatalogs fleet{catalogs, registry, own};
  Principal admin;
};

using Names = std::vector<std::string>;

TEST_F(FleetCatalogTest, each_tool_type_is_there_once_however_many_devices_have_it) {
  for (const DeviceKey device : {1, 2, 3}) ASSERT_TRUE(tell(device, tool("restart")));
  EXPECT_EQ(names(admin), (Names{"latest", "restart"}));
}

TEST_F(FleetCatalogTest, the_published_schema_asks_for_the_device) {
  ASSERT_TRUE(tell(1, R"({"name":"set","inputSchema":{"$schema":"x","type":"object","properties":{"v":{"type":"integer"}},"required":["v"]}})"));
  const mcp::Tool* published = fleet.of(admin).lists.find_tool("set");
  ASSERT_NE(published, nullptr);
  const mcp::Slice schema(published->input_schema_json);
  EXPECT_EQ(mcp::find_member(schema, "required").raw(), R"(["device","v"])");
  EXPECT_TRUE(mcp::find_member(schema, "$schema").equals("x"));
  EXPECT_TRUE(mcp::find_member(mcp::find_member(mcp::find_member(schema, "properties"), "v"), "type").equals("integer"));
}

TEST_F(FleetCatalogTest, a_tool_with_an_argument_of_that_name_gets_another_one) {
  ASSERT_TRUE(tell(1, tool("mount", R"("device":{"type":"string"})")));
  EXPECT_EQ(fleet.of(admin).tools.find("mount")->second.device_argument, "on_device");
}

TEST_F(FleetCatalogTest, another_definition_under_the_same_name_is_another_type) {
  ASSERT_TRUE(tell(1, tool("restart")));
  ASSERT_TRUE(tell(3, tool("restart", R"("delay":{"type":"integer"})"), "0000000000000002"));
  const Names all = names(admin);
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[1], "restart");
  EXPECT_EQ(all[2].substr(0, 9), "restart__");
  EXPECT_EQ(fleet.of(admin).tools.find(all[2])->second.name, "restart");
}

TEST_F(FleetCatalogTest, a_caller_sees_the_tools_of_his_devices_and_a_viewer_those_that_read) {
  ASSERT_TRUE(tell(1, tool("restart") + "," + tool("peek", "", true)));
  ASSERT_TRUE(tell(3, tool("blink"), "0000000000000002"));
  Principal of_b;
  of_b.id = "key:b";
  of_b.devices = *model::parse_device_selector("b-*");
  EXPECT_EQ(names(of_b), (Names{"blink", "latest"}));
  Principal viewer;
  viewer.id = "key:v";
  viewer.role = Role::viewer;
  EXPECT_EQ(names(viewer), (Names{"latest", "peek"}));
}

TEST_F(FleetCatalogTest, the_hubs_own_tools_hide_those_of_devices) {
  ASSERT_TRUE(tell(1, tool("latest", R"("x":{"type":"string"})")));
  EXPECT_EQ(names(admin), (Names{"latest"}));
}

TEST_F(FleetCatalogTest, lists_follow_catalogs_and_records) {
  ASSERT_TRUE(tell(1, tool("restart")));
  EXPECT_EQ(names(admin).size(), 2u);
  const auto change = tell(1, tool("restart") + "," + tool("blink"));
  EXPECT_TRUE(change->tools);
  EXPECT_FALSE(change->prompts);
  EXPECT_EQ(names(admin).size(), 3u);
  EXPECT_FALSE(tell(1, tool("restart") + "," + tool("blink"))->tools) << "the same again is no change";
}

TEST_F(FleetCatalogTest, a_bad_definition_is_left_out_alone) {
  ASSERT_TRUE(tell(1, tool("good") + R"(,{"name":"bad"},{"name":"bad name","inputSchema":{"type":"object"}})"));
  EXPECT_EQ(names(admin), (Names{"good", "latest"}));
  EXPECT_EQ(catalogs.of(1).problems.size(), 2u);
}

TEST_F(FleetCatalogTest, no_device_can_put_its_definitions_under_anothers_hash) {
  ASSERT_TRUE(tell(1, tool("evil")));
  ASSERT_TRUE(tell(3, tool("good")));
  EXPECT_NE(catalogs.of(3).all.find_tool("good"), nullptr);
  EXPECT_EQ(catalogs.of(3).all.find_tool("evil"), nullptr);
}

TEST_F(FleetCatalogTest, a_catalog_that_is_no_object_or_has_no_hash_is_refused_and_the_old_one_stays) {
  ASSERT_TRUE(tell(1, tool("restart")));
  EXPECT_FALSE(catalogs.put(1, *mcp::check_json("[]")));
  EXPECT_FALSE(catalogs.put(1, *mcp::check_json(R"({"tools":[]})")));
  EXPECT_FALSE(catalogs.put(1, *mcp::check_json(R"({"hash":"0000000000000001","tools":{}})")));
  EXPECT_NE(catalogs.of(1).all.find_tool("restart"), nullptr);
}

}  // namespace
}  // namespace tideline::hub

#include "hub/mcp/context_answers.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"
#include "hub/mcp/context_reading.hpp"
#include "mcp/json_slice.hpp"
#include "support/temp_dir.hpp"
#include "unit/hub/store/archive_fixture.hpp"

namespace tideline::hub {
namespace {

constexpr UtcNanos noon{1'800'000'000'000'000'000};

mcp::Slice arguments(const char* json) { return *mcp::check_json(json); }

/// An archive with devices; what the device writes comes as its registers do.
class ContextAnswersTest : public testing::Test {
 protected:
  ContextAnswersTest() : archive(std::move(*open_sqlite_archive(directory.file("hub.db"), ArchiveMode::write, log))) {
    for (const char* id : {"a", "b", "c"}) {
      DeviceRecord record;
      record.id = id;
      const auto put = archive->put_device(record);
      EXPECT_TRUE(registry.put(*put));
      targets.push_back({put->key, id, std::string_view(id) == "a"});
    }
  }
  void set(size_t device, const std::string& path, const std::string& value) {
    context::Change change;
    change.path = path;
    change.value = value;
    change.author = "ops";
    const auto outcomes = archive->context().change({{targets[device].key, &change}}, noon);
    ASSERT_TRUE(outcomes && outcomes->at(0).is_written);
  }
  void agree(size_t device, ContextWork::Kind kind, ContextWork work) {
    work.kind = kind;
    work.device = targets[device].key;
    std::vector<ContextWork> all;
    all.push_back(std::move(work));
    ASSERT_TRUE(archive->context().agree(all));
  }
  void report(size_t device, const std::string& path, const std::string& value) {
    ContextWork work;
    work.registers = {{path, context::Side::device, {++stamp, 0, value.empty(), 0, "agent", value}}};
    agree(device, ContextWork::Kind::put, std::move(work));
  }
  void hold_all(size_t device) {
    ContextWork work;
    work.holds = archive->context().state(targets[device].key)->replica.tops;
    work.now_ns = noon.nanos;
    agree(device, ContextWork::Kind::holds, std::move(work));
  }
  ContextAnswer read(ContextReading::Kind kind, const char* json) {
    ContextListRequest request;
    EXPECT_EQ(read_context_list(arguments(json), request), "");
    ContextReading reading(kind, request, targets, noon);
    for (;;) {
      const auto done = reading.advance(archive->context(), 1);
      EXPECT_TRUE(done);
      if (!done || *done) return reading.take();
    }
  }
  static std::vector<std::string> names(const ContextAnswer& answer) {
    std::vector<std::string> all;
    for (const ContextRow& row : answer.rows) all.push_back(row.device + " " + row.held.path);
    return all;
  }

  test::NullLog log;
  test::TempDir directory;
  std::unique_ptr<Archive> archive;
  Registry registry;
  std::vector<ContextTarget> targets;
  context::Stamp stamp = context::stamp_at(noon.nanos / 1'000'000);
};

TEST_F(ContextAnswersTest, ListsGoOverDevicesPageByPage) {
  for (size_t device = 0; device < 3; ++device) {
    for (const char* path : {"mode", "pump/1", "pump/2"}) set(device, path, "1");
  }
  std::vector<std::string> all;
  std::string cursor;
  size_t pages = 0;
  do {
    const std::string json = R"({"prefix":"pump","limit":2,"cursor":")" + cursor + "\"}";
    const ContextAnswer answer = read(ContextReading::Kind::list, json.c_str());
    for (const std::string& name : names(answer)) all.push_back(name);
    EXPECT_LE(answer.rows.size(), 2u);
    cursor = answer.next_cursor;
    ++pages;
  } while (!cursor.empty());
  EXPECT_EQ(all, (std::vector<std::string>{"a pump/1", "a pump/2", "b pump/1", "b pump/2", "c pump/1", "c pump/2"}));
  EXPECT_EQ(pages, 3u) << "a full last page needs no empty one behind it";
}

TEST_F(ContextAnswersTest, OnlyConflictsWhenThatIsAsked) {
  set(0, "mode", "1");
  set(1, "mode", "1");
  report(1, "mode", "2");
  const ContextAnswer answer = read(ContextReading::Kind::list, R"({"conflicts_only":true})");
  EXPECT_EQ(names(answer), std::vector<std::string>{"b mode"});
  EXPECT_NE(context_list_answer(answer, noon).find("conflict"), std::string::npos);
}

TEST_F(ContextAnswersTest, DiffComparesDesiredWithReported) {
  for (size_t device = 0; device < 3; ++device) set(device, "desired/mode", R"({"a":1,"b":2})");
  hold_all(0);
  hold_all(1);
  report(0, "reported/mode", R"({"b":2.0,"a":1})");
  report(1, "reported/mode", R"({"a":1})");
  report(1, "reported/_error/mode", "\"no b here\"");
  const ContextAnswer answer = read(ContextReading::Kind::diff, "{}");
  EXPECT_EQ(answer.devices, 3u);
  EXPECT_EQ(answer.equal, 1u);
  EXPECT_EQ(answer.different, 2u);
  ASSERT_EQ(names(answer), (std::vector<std::string>{"b desired/mode", "c desired/mode"}));
  const std::string json = context_diff_json(answer, noon);
  EXPECT_NE(json.find(R"("path":"mode","desired":{"a":1,"b":2})"), std::string::npos) << json;
  EXPECT_NE(json.find(R"("delivered":true)"), std::string::npos) << json;
  EXPECT_NE(json.find(R"("error":"no b here")"), std::string::npos) << json;
  EXPECT_NE(json.find(R"("delivered":false,"equal":false)"), std::string::npos) << json;
  EXPECT_EQ(names(read(ContextReading::Kind::diff, R"({"all":true})")).size(), 3u);
  EXPECT_EQ(names(read(ContextReading::Kind::diff, R"({"all":true,"path":"other"})")).size(), 0u);
}

TEST_F(ContextAnswersTest, AnErrorCountsAlthoughTheValuesAreEqual) {
  set(0, "desired/mode", "1");
  report(0, "reported/mode", "1");
  report(0, "reported/_error/mode", "\"only after a restart\"");
  EXPECT_EQ(read(ContextReading::Kind::diff, "{}").different, 1u);
  report(0, "reported/_error/mode", "");
  EXPECT_EQ(read(ContextReading::Kind::diff, "{}").different, 0u);
}

TEST_F(ContextAnswersTest, WritesToManySayWhatHappenedOnEach) {
  ContextOutcome written;
  written.is_written = true;
  written.stamp = stamp;
  ContextOutcome refused;
  refused.refusal.what = "mode: the value must be of type string";
  const std::string many = context_write_answer("mode", {{"a", true, written}, {"b", false, written}, {"c", false, refused}}, false, "");
  const mcp::Slice content = mcp::find_member(mcp::Slice(many), "structuredContent");
  EXPECT_EQ(mcp::find_member(content, "written").integer(), 2);
  EXPECT_EQ(mcp::find_member(content, "delivered").integer(), 1);
  EXPECT_EQ(mcp::find_member(content, "waiting").integer(), 1);
  EXPECT_FALSE(mcp::find_member(mcp::Slice(many), "isError").is_true());
  EXPECT_LT(many.find(R"("state":"refused")"), many.find(R"("state":"waiting")")) << "who needs attention comes first";
  EXPECT_TRUE(mcp::find_member(mcp::Slice(context_write_answer("mode", {{"c", false, refused}}, true, "")), "isError").is_true());
  EXPECT_TRUE(mcp::find_member(mcp::Slice(context_write_answer("mode", {{"c", false, refused}, {"d", false, refused}}, false, "")), "isError").is_true());
}

TEST_F(ContextAnswersTest, AnAnswerAboutALargeFleetIsBounded) {
  ContextOutcome written;
  written.is_written = true;
  written.stamp = stamp;
  std::vector<ContextWritten> all;
  for (size_t i = 0; i < limits::hub_devices; ++i) all.push_back({"device-" + std::to_string(i), true, written});
  const std::string answer = context_write_answer("mode", all, false, "");
  EXPECT_LT(answer.size(), limits::tool_answer_bytes + 4096);
  EXPECT_GT(mcp::find_member(mcp::find_member(mcp::Slice(answer), "structuredContent"), "left_out").integer().value_or(0), 0);
}

TEST_F(ContextAnswersTest, DevicesAreNamedByIdGlobOrLabelsWithinWhatIsVisible) {
  const model::DeviceSelector visible = *model::parse_device_selector("a");
  NamedDevices named;
  EXPECT_EQ(find_named(registry, visible, "a", named), "");
  EXPECT_TRUE(named.is_one);
  EXPECT_EQ(find_named(registry, visible, "*", named), "");
  EXPECT_FALSE(named.is_one);
  EXPECT_EQ(named.devices.size(), 1u);
  EXPECT_NE(find_named(registry, visible, "b", named), "") << "what is not visible does not exist";
  EXPECT_NE(find_named(registry, {}, "x*", named), "");
  EXPECT_NE(find_named(registry, {}, "{site", named), "");
}

TEST_F(ContextAnswersTest, ArgumentsThatNoSchemaCanCheckAreRefusedInWords) {
  ContextSetRequest set;
  EXPECT_EQ(read_context_set(arguments(R"({"path":"mode","value":{"a":1},"merge":true,"ttl_seconds":0.5,"if_version":"","wait_seconds":2})"), set), "");
  EXPECT_EQ(set.change.operation, context::Operation::patch);
  EXPECT_EQ(set.change.value, R"({"a":1})");
  EXPECT_EQ(set.change.time_to_live_ms, 500);
  EXPECT_EQ(set.change.if_version, "");
  EXPECT_EQ(set.wait, seconds(2));
  for (const char* wrong : {R"({"path":"a//b","value":1})", R"({"path":"","value":1})", R"({"path":"a"})", R"({"path":"a","value":1,"ttl_seconds":0})", R"({"path":"a","value":1,"wait_seconds":-1})",
                            R"({"path":"a","value":1,"ttl_seconds":1e12})"}) {
    ContextSetRequest refused;
    EXPECT_NE(read_context_set(arguments(wrong), refused), "") << wrong;
  }
  ContextListRequest list;
  EXPECT_NE(read_context_list(arguments(R"({"prefix":"a b"})"), list), "");
  EXPECT_NE(read_context_list(arguments(R"({"cursor":"x"})"), list), "");
}

TEST(ContextTools, DefinitionsHaveSchemasThatAreJson) {
  for (const mcp::Tool& tool : context_tools()) {
    EXPECT_TRUE(mcp::check_json(tool.input_schema_json)) << tool.name;
    EXPECT_TRUE(mcp::check_json(tool.output_schema_json)) << tool.name;
    EXPECT_TRUE(is_context_tool(tool.name));
  }
}

}  // namespace
}  // namespace tideline::hub

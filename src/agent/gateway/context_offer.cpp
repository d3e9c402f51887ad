// The definitions of the context's tools, resource and template. Plain data.
#include "agent/gateway/context_provider.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "context/entry_json.hpp"
#include "context/limits.hpp"
#include "mcp/query_arguments.hpp"

namespace tideline::agent {
namespace {

using mcp::schema::input;
using mcp::schema::object;

constexpr mcp::ToolHints reads{.is_read_only = true, .is_destructive = false, .is_idempotent = true, .is_open_world = false};
constexpr mcp::ToolHints sets{.is_read_only = false, .is_destructive = false, .is_idempotent = true, .is_open_world = false};
constexpr mcp::ToolHints erases{.is_read_only = false, .is_destructive = true, .is_idempotent = true, .is_open_world = false};

constexpr const char* path_argument =
    R"("path":{"type":"string","minLength":1,"maxLength":256,"description":"Segments of A-Z a-z 0-9 . _ - with / between them, such as mode or pump/7/setpoint."})";
constexpr const char* version_argument =
    R"("if_version":{"type":"string","maxLength":32,"description":"Only if the entry still has this version (from context_get); an empty text: only if nothing is there. Otherwise an error, and nothing changes."})";

constexpr const char* origin =
    R"("version":{"type":"string"},"writer":{"type":"string","enum":["device","hub"]},"author":{"type":"string","description":"Who wrote it, and with what."},)"
    R"("time":{"type":"string","description":"When, by the writer's clock (RFC 3339, UTC)."},"expires":{"type":"string"})";

/// A write that is not the entry's value: one that lost, or an earlier one.
std::string past_write() {
  return object(R"("value":)" + context::any_json_schema("Any JSON.") + R"(,"deleted":{"type":"boolean"},)" + std::string(origin), R"("version","writer","time")");
}

std::string entry_members() {
  return R"("path":{"type":"string"},"exists":{"type":"boolean"},"value":)" + context::any_json_schema("Any JSON.") + R"(,"value_bytes":{"type":"integer","description":"Of a long value, which a list leaves out."},)"
         R"("gone":{"type":"string","enum":["deleted","expired"]},)" +
         std::string(origin) +
         R"(,"age_s":{"type":"number"},"at_hub":{"type":"boolean","description":"The hub holds this version. Missing: the hub was not met since the agent started."},)"
         R"("rule":{"type":"string","enum":["last_writer","device_wins","hub_wins","keep_both"]},"conflict":)" +
         past_write();
}

std::string entry_schema() {
  return object(entry_members() + R"(,"history":{"type":"array","items":)" +
                    past_write() + "}",
                R"("path","exists")");
}

mcp::Tool tool(const char* name, const char* title, std::string description, std::string input_schema, std::string output_schema, const mcp::ToolHints& hints) {
  mcp::Tool one;
  one.name = name;
  one.title = title;
  one.description = std::move(description);
  one.input_schema_json = std::move(input_schema);
  one.output_schema_json = std::move(output_schema);
  one.annotations_json = mcp::hints_json(hints);
  return one;
}

}  // namespace

Offer context_offer() {
  namespace most = context::limits;
  Offer offer;
  offer.tools = {
      tool("context_get", "Read the context",
           "Reads one entry of this device's context: shared settings, modes, set points and notes as JSON under paths, kept here and at the hub alike. With the version for "
           "context_set, who wrote it, and the losing value when device and hub wrote without knowing of each other. Example: {\"path\":\"pump/7/setpoint\"}.",
           input(std::string(path_argument) + format(R"(,"history":{"type":"integer","minimum":0,"maximum":%zu,"default":0,"description":"How many earlier writes to show."})", most::history), R"("path")"),
           entry_schema(), reads),
      tool("context_set", "Write the context",
           format("Writes one entry; the answer comes when it is on this device's disk, and the hub gets it when it can be reached. At most %zu KiB of JSON, %s entries. What was there stays in "
                  "the history. desired/... can be written at the hub alone. Examples: {\"path\":\"mode\",\"value\":\"eco\"}, {\"path\":\"pump/7\",\"value\":{\"limit\":5,\"note\":null},\"merge\":true}.",
                  most::value_bytes / 1024, format_count(most::entries).c_str()),
           input(std::string(path_argument) +
                     R"(,"value":)" + context::any_json_schema("Any JSON: a text, a number, an object.") + R"(,"merge":{"type":"boolean","default":false,"description":"Merge into the object that is there (RFC 7396: null takes a member away) instead of replacing all of it."},)" +
                     version_argument + R"(,"ttl_seconds":{"type":"number","minimum":0.001,"description":"The entry expires after this time. Default: never."})",
                 R"("path","value")"),
           entry_schema(), sets),
      tool("context_delete", "Delete from the context", "Deletes one entry, here and, when it can be reached, at the hub. What was there stays in the history for a while.",
           input(std::string(path_argument) + "," + version_argument, R"("path")"), entry_schema(), erases),
      tool("context_list", "List the context",
           "Lists entries of this device's context in the order of their paths. Long values are left out: context_get shows them. Example: {\"prefix\":\"pump\"}.",
           input(std::string(R"("prefix":{"type":"string","maxLength":256,"default":"","description":"Only this path and what lies under it."},)") +
                 mcp::schema::limit_argument(ContextCommands::list_most, ContextCommands::list_otherwise, "Most entries of one answer.") +
                 R"(,"cursor":{"type":"string","maxLength":256,"description":"next_cursor of the answer before."},"conflicts_only":{"type":"boolean","default":false,"description":"Only entries that device and hub wrote without knowing of each other."})"),
           object(R"("entries":{"type":"array","items":)" + object(entry_members(), R"("path","exists")") +
                      R"(},"next_cursor":{"type":"string"},"total":{"type":"integer","description":"Entries on this device."},"bytes":{"type":"integer"},"conflicts":{"type":"integer"})",
                  R"("entries","total","conflicts")"),
           reads)};
  mcp::Resource all;
  all.uri = uri::context;
  all.name = "context";
  all.title = "Context";
  all.description = "Settings, modes, set points and notes that this device and the hub share. Subscribers hear of every change.";
  all.mime_type = "application/json";
  offer.resources = {all};
  mcp::ResourceTemplate one;
  one.uri_template = uri::context_template;
  one.name = "context_entry";
  one.title = "One context entry";
  one.description = "One entry by its path, with version and writer: tideline://context/pump/7/setpoint. Subscribers hear of changes from either side.";
  one.mime_type = "application/json";
  offer.templates = {one};
  return offer;
}

}  // namespace tideline::agent

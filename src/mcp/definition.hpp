// What a server offers, as values: tools, resources, templates, prompts. Each renders to its list entry and is read back from one;
// members we do not know are kept raw in `extra`, so that a definition survives the hop. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mcp/json_slice.hpp"
#include "mcp/revision.hpp"
#include "mcp/schema_digest.hpp"

namespace tideline::mcp {

/// Hints, with the defaults of the specification. They come from the server: do not build safety on a third party's.
struct ToolHints {
  bool is_read_only = false;
  bool is_destructive = true;
  bool is_idempotent = false;
  bool is_open_world = true;
};
std::string hints_json(const ToolHints& hints);
ToolHints read_hints(Slice annotations);

/// Members named `..._json` and `extra` hold raw JSON; empty means absent. `extra` is members without braces.
struct Tool {
  std::string name{};
  std::string title{};
  std::string description{};
  std::string input_schema_json = R"({"type":"object"})";
  std::string output_schema_json{};
  std::string annotations_json{};
  std::string extra{};
  bool may_ask = false;     ///< may answer input_required: its arguments are kept for the second round
  bool is_relayed = false;  ///< another server's: it checks the arguments and owns the requestState
  SchemaDigest digest{};    ///< of input_schema_json; set by the catalog, and only of tools that are not relayed
};
void append_tool(std::string& out, const Tool& tool, Revision revision);

struct Resource {
  std::string uri{};
  std::string name{};
  std::string title{};
  std::string description{};
  std::string mime_type{};
  std::string extra{};
};
void append_resource(std::string& out, const Resource& resource);

struct ResourceTemplate {
  std::string uri_template{};
  std::string name{};
  std::string title{};
  std::string description{};
  std::string mime_type{};
  std::string extra{};
};
void append_template(std::string& out, const ResourceTemplate& resource_template);

struct PromptArgument {
  std::string name{};
  std::string description{};
  bool is_required = false;
};
struct Prompt {
  std::string name{};
  std::string title{};
  std::string description{};
  std::vector<PromptArgument> arguments{};
  std::string extra{};
  bool is_relayed = false;
};
void append_prompt(std::string& out, const Prompt& prompt);

/// One entry of another server's list, judged: a bad one must not spoil the list for everybody (official clients refuse all of it).
template <class T>
struct Judged {
  std::optional<T> value;  ///< absent: quarantined
  std::string problem;     ///< why, or what was repaired; empty when all was well
};

/// Rules: object without duplicate keys, at most limits::mcp_tool_bytes; name of 1 to 128 of [A-Za-z0-9_./-]; inputSchema an object with
/// type "object" and bounded depth; outputSchema an object; x-mcp-header well used. Null texts are dropped, `execution` always is.
Judged<Tool> judge_tool(Slice definition);
Judged<Resource> judge_resource(Slice definition);
Judged<ResourceTemplate> judge_template(Slice definition);
Judged<Prompt> judge_prompt(Slice definition);

/// 1 to limits::mcp_name_bytes of [A-Za-z0-9_./-].
bool is_tool_name(std::string_view name);

}  // namespace tideline::mcp

#include "mcp/definition.hpp"

#include "mcp/json_write.hpp"

namespace tideline::mcp {
namespace {

void optional_text(ObjectWriter& writer, std::string_view name, const std::string& value) {
  if (!value.empty()) writer.text(name, value);
}
void optional_raw(ObjectWriter& writer, std::string_view name, const std::string& json) {
  if (!json.empty()) writer.raw(name, json);
}
/// `extra` is members without braces; there is always one before it.
void end_with(std::string& out, const std::string& extra) {
  if (!extra.empty()) {
    out.push_back(',');
    out += extra;
  }
  out.push_back('}');
}

}  // namespace

std::string hints_json(const ToolHints& hints) {
  std::string out;
  ObjectWriter(out)
      .boolean("readOnlyHint", hints.is_read_only)
      .boolean("destructiveHint", hints.is_destructive)
      .boolean("idempotentHint", hints.is_idempotent)
      .boolean("openWorldHint", hints.is_open_world)
      .end();
  return out;
}

ToolHints read_hints(Slice annotations) {
  ToolHints hints;
  for (Walk walk(annotations); walk.next();) {
    if (!walk.value().is(JsonKind::boolean)) continue;
    const bool value = walk.value().is_true();
    if (walk.key().equals("readOnlyHint")) hints.is_read_only = value;
    if (walk.key().equals("destructiveHint")) hints.is_destructive = value;
    if (walk.key().equals("idempotentHint")) hints.is_idempotent = value;
    if (walk.key().equals("openWorldHint")) hints.is_open_world = value;
  }
  return hints;
}

void append_tool(std::string& out, const Tool& tool, Revision revision) {
  ObjectWriter writer(out);
  writer.text("name", tool.name);
  optional_text(writer, "title", tool.title);
  optional_text(writer, "description", tool.description);
  writer.raw("inputSchema", tool.input_schema_json);
  // Legacy clients refuse the whole list for an output schema that is not one of an object.
  const bool fits = era_of(revision) == Era::modern || find_member(Slice(tool.output_schema_json), "type").equals("object");
  if (fits) optional_raw(writer, "outputSchema", tool.output_schema_json);
  optional_raw(writer, "annotations", tool.annotations_json);
  end_with(out, tool.extra);
}

void append_resource(std::string& out, const Resource& resource) {
  ObjectWriter writer(out);
  writer.text("uri", resource.uri).text("name", resource.name);
  optional_text(writer, "title", resource.title);
  optional_text(writer, "description", resource.description);
  optional_text(writer, "mimeType", resource.mime_type);
  end_with(out, resource.extra);
}

void append_template(std::string& out, const ResourceTemplate& resource_template) {
  ObjectWriter writer(out);
  writer.text("uriTemplate", resource_template.uri_template).text("name", resource_template.name);
  optional_text(writer, "title", resource_template.title);
  optional_text(writer, "description", resource_template.description);
  optional_text(writer, "mimeType", resource_template.mime_type);
  end_with(out, resource_template.extra);
}

void append_prompt(std::string& out, const Prompt& prompt) {
  ObjectWriter writer(out);
  writer.text("name", prompt.name);
  optional_text(writer, "title", prompt.title);
  optional_text(writer, "description", prompt.description);
  if (!prompt.arguments.empty()) {
    writer.key("arguments");
    char before = '[';
    for (const PromptArgument& argument : prompt.arguments) {
      out.push_back(before);
      before = ',';
      ObjectWriter entry(out);
      entry.text("name", argument.name);
      optional_text(entry, "description", argument.description);
      entry.boolean("required", argument.is_required).end();
    }
    out.push_back(']');
  }
  end_with(out, prompt.extra);
}

}  // namespace tideline::mcp

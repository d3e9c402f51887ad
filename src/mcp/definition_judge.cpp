#include <algorithm>

#include "base/limits.hpp"
#include "base/log.hpp"
#include "mcp/definition.hpp"
#include "mcp/header_params.hpp"
#include "mcp/json_write.hpp"

namespace tideline::mcp {
namespace {

/// A member to take out of a definition: a text un-escaped, anything else raw and compact.
struct Field {
  std::string_view name;
  std::string* into;
  JsonKind kind = JsonKind::string;
};

/// Members that must not travel: the task support of the 2025-11-25 experiment means nothing on the newer wire.
bool is_dropped(Slice key) { return key.equals("execution"); }

/// Distributes the members over `fields`; the others go to `extra`. Returns what is wrong, or empty. Nulls are dropped and noted.
std::string take_fields(Slice definition, std::initializer_list<Field> fields, std::string& extra, std::string& repaired) {
  if (!definition.is(JsonKind::object)) return "not an object";
  if (definition.raw().size() > limits::mcp_tool_bytes) return format("%zu bytes, more than %zu", definition.raw().size(), limits::mcp_tool_bytes);
  if (const Status unique = check_keys(definition); !unique) return unique.error().context;
  std::string rest;
  ObjectWriter writer(rest);
  for (Walk walk(definition); walk.next();) {
    const auto field = std::find_if(fields.begin(), fields.end(), [&](const Field& f) { return walk.key().equals(f.name); });
    if (field == fields.end()) {
      if (!is_dropped(walk.key())) writer.raw_key(walk.key(), walk.value());
    } else if (walk.value().is(JsonKind::null)) {
      repaired += format("%.*s was null, dropped; ", static_cast<int>(field->name.size()), field->name.data());
    } else if (!walk.value().is(field->kind)) {
      return format("%.*s is of the wrong kind", static_cast<int>(field->name.size()), field->name.data());
    } else if (field->kind == JsonKind::string) {
      *field->into = walk.value().text();
    } else {
      append_compact(*field->into, walk.value());
    }
  }
  extra = rest.substr(1);
  return {};
}

template <class T>
Judged<T> quarantine(const std::string& name, std::string why) {
  return {std::nullopt, (name.empty() ? std::string("(no name)") : name.substr(0, limits::mcp_name_bytes)) + ": " + std::move(why)};
}

template <class T>
Judged<T> accept(T value, std::string repaired) {
  if (!repaired.empty()) repaired = value.name.substr(0, limits::mcp_name_bytes) + ": " + repaired;
  return {std::move(value), std::move(repaired)};
}

size_t depth_of(std::string_view json) {
  size_t depth = 0;
  size_t deepest = 0;
  bool in_string = false;
  for (size_t at = 0; at < json.size(); ++at) {
    const char c = json[at];
    if (in_string) {
      if (c == '\\') ++at;
      if (c == '"') in_string = false;
      continue;
    }
    in_string = c == '"';
    if (c == '{' || c == '[') deepest = std::max(deepest, ++depth);
    if (c == '}' || c == ']') --depth;
  }
  return deepest;
}

std::string schema_problem(const Tool& tool, bool has_schema) {
  const Slice schema(tool.input_schema_json);
  if (!has_schema) return "inputSchema is missing";
  if (!find_member(schema, "type").equals("object")) return "inputSchema.type must be \"object\"";
  if (depth_of(schema.raw()) > limits::mcp_schema_depth) return format("inputSchema is nested deeper than %zu", limits::mcp_schema_depth);
  if (depth_of(tool.output_schema_json) > limits::mcp_schema_depth) return format("outputSchema is nested deeper than %zu", limits::mcp_schema_depth);
  std::vector<HeaderParam> params;
  return read_header_params(schema, params);
}

}  // namespace

bool is_tool_name(std::string_view name) {
  constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-";
  return !name.empty() && name.size() <= limits::mcp_name_bytes && name.find_first_not_of(allowed) == std::string_view::npos;
}

Judged<Tool> judge_tool(Slice definition) {
  Tool tool;
  tool.is_relayed = true;
  std::string schema, repaired;
  const std::string wrong = take_fields(definition,
                                        {{"name", &tool.name},
                                         {"title", &tool.title},
                                         {"description", &tool.description},
                                         {"inputSchema", &schema, JsonKind::object},
                                         {"outputSchema", &tool.output_schema_json, JsonKind::object},
                                         {"annotations", &tool.annotations_json, JsonKind::object}},
                                        tool.extra, repaired);
  if (!wrong.empty()) return quarantine<Tool>(tool.name, wrong);
  if (!is_tool_name(tool.name)) return quarantine<Tool>(tool.name, "the name must be 1 to 128 of A-Z a-z 0-9 _ . / -");
  const bool has_schema = !schema.empty();
  if (has_schema) tool.input_schema_json = std::move(schema);
  if (std::string problem = schema_problem(tool, has_schema); !problem.empty()) return quarantine<Tool>(tool.name, std::move(problem));
  return accept(std::move(tool), std::move(repaired));
}

Judged<Resource> judge_resource(Slice definition) {
  Resource out;
  std::string repaired;
  const std::string wrong = take_fields(
      definition, {{"uri", &out.uri}, {"name", &out.name}, {"title", &out.title}, {"description", &out.description}, {"mimeType", &out.mime_type}},
      out.extra, repaired);
  if (!wrong.empty()) return quarantine<Resource>(out.uri, wrong);
  if (out.uri.empty() || out.uri.size() > limits::mcp_uri_bytes) return quarantine<Resource>(out.uri, "the uri is missing or too long");
  if (out.name.empty()) return quarantine<Resource>(out.uri, "the name is missing");
  return accept(std::move(out), std::move(repaired));
}

Judged<ResourceTemplate> judge_template(Slice definition) {
  ResourceTemplate out;
  std::string repaired;
  const std::string wrong = take_fields(definition,
                                        {{"uriTemplate", &out.uri_template},
                                         {"name", &out.name},
                                         {"title", &out.title},
                                         {"description", &out.description},
                                         {"mimeType", &out.mime_type}},
                                        out.extra, repaired);
  if (!wrong.empty()) return quarantine<ResourceTemplate>(out.uri_template, wrong);
  if (out.uri_template.empty() || out.uri_template.size() > limits::mcp_uri_bytes) {
    return quarantine<ResourceTemplate>(out.uri_template, "the uriTemplate is missing or too long");
  }
  if (out.name.empty()) return quarantine<ResourceTemplate>(out.uri_template, "the name is missing");
  return accept(std::move(out), std::move(repaired));
}

Judged<Prompt> judge_prompt(Slice definition) {
  Prompt out;
  out.is_relayed = true;
  std::string arguments, repaired;
  const std::string wrong = take_fields(
      definition, {{"name", &out.name}, {"title", &out.title}, {"description", &out.description}, {"arguments", &arguments, JsonKind::array}},
      out.extra, repaired);
  if (!wrong.empty()) return quarantine<Prompt>(out.name, wrong);
  if (out.name.empty() || out.name.size() > limits::mcp_name_bytes) return quarantine<Prompt>(out.name, "the name is missing or too long");
  for (Walk walk{Slice(arguments)}; walk.next();) {
    Slice name, description, required;
    if (!read_members(walk.value(), {{"name", &name}, {"description", &description}, {"required", &required}}) || !name.is(JsonKind::string)) {
      return quarantine<Prompt>(out.name, "an argument has no name");
    }
    out.arguments.push_back({name.text(), description.text(), required.is_true()});
  }
  return accept(std::move(out), std::move(repaired));
}

}  // namespace tideline::mcp

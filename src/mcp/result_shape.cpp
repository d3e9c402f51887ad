#include "mcp/result_shape.hpp"

#include "mcp/envelope.hpp"
#include "mcp/json_write.hpp"

namespace tideline::mcp {
namespace {

bool is_scope(Slice scope) { return scope.equals("public") || scope.equals("private"); }

bool is_ttl(Slice ttl) {
  const auto value = ttl.integer();
  return value && *value >= 0;
}

/// _meta with our serverInfo in place of any other.
std::string with_server_info(Slice meta, std::string_view server_info_json) {
  std::string out;
  ObjectWriter writer(out);
  for (Walk walk(meta); walk.next();) {
    if (!walk.key().equals(key::server_info)) writer.raw_key(walk.key(), walk.value());
  }
  if (!server_info_json.empty()) writer.raw(key::server_info, server_info_json);
  writer.end();
  return out;
}

/// Kinds of content a legacy revision knows; a client refuses the whole result for another.
bool knows_content(Revision revision, Slice type) {
  if (type.equals("text") || type.equals("image") || type.equals("resource")) return true;
  if (type.equals("audio")) return revision >= Revision::r2025_03_26;
  if (type.equals("resource_link")) return revision >= Revision::r2025_06_18;
  return false;
}

std::string replacement(Slice block, Slice type) {
  const std::string uri = find_member(block, "uri").text();
  std::string text = "[content of kind \"" + type.text() + "\" left out: this protocol revision does not know it" + (uri.empty() ? "" : "; " + uri) + "]";
  std::string out;
  ObjectWriter(out).text("type", "text").text("text", text).end();
  return out;
}

void append_content(std::string& out, Slice content, Revision revision) {
  char before = '[';
  for (Walk walk(content); walk.next();) {
    out.push_back(before);
    before = ',';
    const Slice type = find_member(walk.value(), "type");
    if (knows_content(revision, type)) {
      out += walk.value().raw();
    } else {
      out += replacement(walk.value(), type);
    }
  }
  out += before == '[' ? "[]" : "]";
}

bool is_modern_only(Slice key) { return key.equals("resultType") || key.equals("ttlMs") || key.equals("cacheScope"); }

std::string shape_legacy(Slice body, const ResultShape& shape) {
  std::string out;
  out.reserve(body.raw().size() + 16);
  ObjectWriter writer(out);
  for (Walk walk(body); walk.next();) {
    if (is_modern_only(walk.key())) continue;
    const bool is_call = shape.method == Method::call_tool;
    if (is_call && walk.key().equals("structuredContent") && !walk.value().is(JsonKind::object)) continue;
    if (is_call && walk.key().equals("content") && walk.value().is(JsonKind::array)) {
      writer.key("content");
      append_content(out, walk.value(), shape.revision);
    } else if (walk.key().equals("_meta")) {
      const std::string meta = with_server_info(walk.value(), {});
      if (meta != "{}") writer.raw("_meta", meta);
    } else {
      writer.raw_key(walk.key(), walk.value());
    }
  }
  writer.end();
  return out;
}

}  // namespace

bool is_cacheable(Method method) {
  switch (method) {
    case Method::discover:
    case Method::list_tools:
    case Method::list_prompts:
    case Method::list_resources:
    case Method::list_templates:
    case Method::read_resource: return true;
    default: return false;
  }
}

bool may_ask(Method method) { return method == Method::call_tool || method == Method::get_prompt || method == Method::read_resource; }

ResultType result_type(Slice body) { return read_result_type(find_member(body, "resultType")); }

ResultType read_result_type(Slice type) {
  if (!type.is_present() || type.equals("complete")) return ResultType::complete;
  if (type.equals("input_required")) return ResultType::input_required;
  return type.equals("task") ? ResultType::task : ResultType::other;
}

Result<std::string> shape_result(Slice body, const ResultShape& shape) {
  Slice type, ttl, scope, meta;
  RETURN_IF_ERROR(read_members(body, {{"resultType", &type}, {"ttlMs", &ttl}, {"cacheScope", &scope}, {"_meta", &meta}}));
  const ResultType kind = read_result_type(type);
  const bool is_possible = kind == ResultType::complete || (kind == ResultType::input_required && may_ask(shape.method)) ||
                           (kind == ResultType::task && shape.method == Method::call_tool);
  if (!is_possible) return Error{ErrorCode::invalid, 0, "resultType does not fit the method"};
  if (era_of(shape.revision) == Era::legacy) return shape_legacy(body, shape);

  std::string out;
  out.reserve(body.raw().size() + shape.server_info_json.size() + 160);
  ObjectWriter writer(out);
  writer.raw("resultType", type.is_present() ? type.raw() : "\"complete\"");
  for (Walk walk(body); walk.next();) {
    if (!is_modern_only(walk.key()) && !walk.key().equals("_meta")) writer.raw_key(walk.key(), walk.value());
  }
  if (kind == ResultType::complete && is_cacheable(shape.method)) {
    // A pair that is only half valid says nothing reliable: both come from us then.
    const bool is_given = is_ttl(ttl) && is_scope(scope);
    writer.raw("ttlMs", is_given ? std::string(ttl.raw()) : std::to_string(shape.cache.ttl_ms));
    writer.raw("cacheScope", is_given ? scope.raw() : shape.cache.is_public ? "\"public\"" : "\"private\"");
  }
  // `ttlMs` of a task is its life, not a cache hint.
  if (!is_cacheable(shape.method) && ttl.is_present()) writer.raw("ttlMs", ttl.raw());
  if (meta.is_present() || !shape.server_info_json.empty()) writer.raw("_meta", with_server_info(meta, shape.server_info_json));
  writer.end();
  return out;
}

void append_own_result(std::string& out, std::string_view body, const ResultShape& shape) {
  if (era_of(shape.revision) == Era::legacy) {
    out += body;
    return;
  }
  const std::string_view members = body.substr(1, body.size() - 2);
  out += R"({"resultType":"complete")";
  if (!members.empty()) out.push_back(',');
  out += members;
  if (is_cacheable(shape.method)) {
    out += R"(,"ttlMs":)";
    out += std::to_string(shape.cache.ttl_ms);
    out += shape.cache.is_public ? R"(,"cacheScope":"public")" : R"(,"cacheScope":"private")";
  }
  if (!shape.server_info_json.empty()) {
    out += R"(,"_meta":{")";
    out += key::server_info;
    out += "\":";
    out += shape.server_info_json;
    out.push_back('}');
  }
  out.push_back('}');
}

}  // namespace tideline::mcp

// The methods of both eras as one table. Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "mcp/json_slice.hpp"

namespace tideline::mcp {

enum class Method : uint8_t {
  unknown,
  initialize,
  ping,
  discover,
  list_tools,
  call_tool,
  list_resources,
  list_templates,
  read_resource,
  subscribe,
  unsubscribe,
  list_prompts,
  get_prompt,
  complete,
  set_level,
  listen,
  get_task,
  update_task,
  cancel_task,
  create_message,   // server to client
  elicit,
  list_roots,
  initialized,      // notifications from here on
  cancelled,
  progress,
  message,
  roots_changed,
  tools_changed,
  resources_changed,
  resource_updated,
  prompts_changed,
  acknowledged,
  task_changed,
};

/// Which part of a server answers a method; what is not offered answers "method not found".
enum class Feature : uint8_t { core, tools, resources, watching, prompts, completions, logging, tasks, client };

struct MethodRule {
  std::string_view name;
  Method method = Method::unknown;
  bool is_legacy = false;  ///< exists in the legacy revisions
  bool is_modern = false;
  Feature feature = Feature::core;
};

/// The rule for `unknown` has an empty name and exists in no era.
const MethodRule& method_rule(Method method);
Method find_method(Slice name);
inline std::string_view method_text(Method method) { return method_rule(method).name; }

}  // namespace tideline::mcp

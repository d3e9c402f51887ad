#include "mcp/method.hpp"

#include <array>

namespace tideline::mcp {
namespace {

constexpr std::array<MethodRule, 33> rules = {{
    {"", Method::unknown, false, false, Feature::core},
    {"initialize", Method::initialize, true, false, Feature::core},
    {"ping", Method::ping, true, false, Feature::core},
    {"server/discover", Method::discover, false, true, Feature::core},
    {"tools/list", Method::list_tools, true, true, Feature::tools},
    {"tools/call", Method::call_tool, true, true, Feature::tools},
    {"resources/list", Method::list_resources, true, true, Feature::resources},
    {"resources/templates/list", Method::list_templates, true, true, Feature::resources},
    {"resources/read", Method::read_resource, true, true, Feature::resources},
    {"resources/subscribe", Method::subscribe, true, false, Feature::watching},
    {"resources/unsubscribe", Method::unsubscribe, true, false, Feature::watching},
    {"prompts/list", Method::list_prompts, true, true, Feature::prompts},
    {"prompts/get", Method::get_prompt, true, true, Feature::prompts},
    {"completion/complete", Method::complete, true, true, Feature::completions},
    {"logging/setLevel", Method::set_level, true, false, Feature::logging},
    {"subscriptions/listen", Method::listen, false, true, Feature::core},
    {"tasks/get", Method::get_task, false, true, Feature::tasks},
    {"tasks/update", Method::update_task, false, true, Feature::tasks},
    {"tasks/cancel", Method::cancel_task, false, true, Feature::tasks},
    {"sampling/createMessage", Method::create_message, true, false, Feature::client},
    {"elicitation/create", Method::elicit, true, false, Feature::client},
    {"roots/list", Method::list_roots, true, false, Feature::client},
    {"notifications/initialized", Method::initialized, true, false, Feature::core},
    {"notifications/cancelled", Method::cancelled, true, true, Feature::core},
    {"notifications/progress", Method::progress, true, true, Feature::core},
    {"notifications/message", Method::message, true, true, Feature::core},
    {"notifications/roots/list_changed", Method::roots_changed, true, false, Feature::core},
    {"notifications/tools/list_changed", Method::tools_changed, true, true, Feature::core},
    {"notifications/resources/list_changed", Method::resources_changed, true, true, Feature::core},
    {"notifications/resources/updated", Method::resource_updated, true, true, Feature::core},
    {"notifications/prompts/list_changed", Method::prompts_changed, true, true, Feature::core},
    {"notifications/subscriptions/acknowledged", Method::acknowledged, false, true, Feature::core},
    {"notifications/tasks", Method::task_changed, false, true, Feature::core},
}};

constexpr bool is_in_order() {
  for (size_t i = 0; i < rules.size(); ++i) {
    if (rules[i].method != static_cast<Method>(i)) return false;
  }
  return true;
}
static_assert(is_in_order(), "the table is indexed by Method");

}  // namespace

const MethodRule& method_rule(Method method) { return rules[static_cast<size_t>(method)]; }

Method find_method(Slice name) {
  for (size_t i = 1; i < rules.size(); ++i) {
    if (name.equals(rules[i].name)) return rules[i].method;
  }
  return Method::unknown;
}

}  // namespace tideline::mcp

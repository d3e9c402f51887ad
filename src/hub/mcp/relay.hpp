// From a client's call to the request that a device gets, and back: everything is spliced, nothing printed again. Pure.
#pragma once

#include <string>
#include <string_view>

#include "mcp/handler.hpp"
#include "mcp/task.hpp"

namespace tideline::hub {

/// What changes on the way. Empty members leave things as they are.
struct RelayChange {
  std::string_view name{};           ///< of the tool
  std::string_view task_id{};
  std::string_view drop_argument{};  ///< of the arguments: the one that named the device
};

/// The members of params for the device, without braces and without _meta. Answers to questions of a legacy client, which came by
/// messages of their own, are put in.
std::string relay_members(const mcp::Call& call, const RelayChange& change);

/// What the client can do, as the device may rely on it: of a legacy session what this hub can ask for on the device's behalf.
std::string relay_capabilities(const mcp::Call& call);

/// `object` without the member `name`.
std::string without_member(mcp::Slice object, std::string_view name);

/// `error` of a device as it goes to the client.
mcp::RpcError relayed_error(mcp::Slice error);

/// `result` with "taskId" led by `prefix`: for clients that must find the device again by it.
std::string with_task_prefix(mcp::Slice result, std::string_view prefix);

}  // namespace tideline::hub

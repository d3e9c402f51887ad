// One line of JSON-RPC as a value, and the lines we write. Parsing checks the whole text once; the views of a Message point into it.
// Ids stay raw text (digits or a quoted string), so they come back as they were sent. Pure.
#pragma once

#include <string>
#include <string_view>

#include "mcp/error_code.hpp"
#include "mcp/json_slice.hpp"
#include "mcp/method.hpp"

namespace tideline::mcp {

enum class MessageKind : uint8_t { request, notification, response, batch, invalid };

struct Message {
  MessageKind kind = MessageKind::invalid;
  std::string_view id;              ///< raw JSON; empty when absent or unreadable
  Method method = Method::unknown;
  Slice method_name;                ///< the string as sent
  Slice params;                     ///< an object, or absent
  Slice result;                     ///< of a response: exactly one of result and error
  Slice error;
  Slice array;                      ///< of a batch
  RpcError problem;                 ///< of an invalid one: what to answer
};

/// `line` outlives the message. Never fails: what is wrong comes back as `invalid` with the answer to give.
Message parse_message(std::string_view line);
/// One element of a batch: the same, for text already checked.
Message read_message(Slice value);

/// `id` is raw JSON; an empty one is left out, as the schema has no null.
std::string error_line(std::string_view id, const RpcError& error);
/// `result` is a raw JSON object.
std::string result_line(std::string_view id, std::string_view result);
/// The same up to the result, which the caller appends and closes with a brace. `room` is about the size of what follows.
std::string begin_result_line(std::string_view id, size_t room);
/// `params` is a raw JSON object or empty.
std::string notification_line(std::string_view method, std::string_view params);
std::string request_line(std::string_view id, std::string_view method, std::string_view params);

/// A string or an integer of bounded size: what may be an id or a progress token.
bool is_token(Slice value);

}  // namespace tideline::mcp

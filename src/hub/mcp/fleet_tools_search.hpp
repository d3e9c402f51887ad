// find_tools: looks for words in everything that a tool says of itself. Pure.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "hub/mcp/fleet_tools_arguments.hpp"
#include "mcp/definition.hpp"

namespace tideline::hub {

/// A tool as published at the fleet's endpoint.
struct SearchedTool {
  const mcp::Tool* tool = nullptr;
  size_t devices = 0;                 ///< that offer it; 0: the hub's own
  std::vector<std::string> examples;  ///< some of them
};

/// How well the tool fits the words: 0 when none is found. Words in the name count most, then title, arguments, description; a tool with
/// all the words goes before one with some, whatever their weight.
size_t search_score(const std::vector<std::string>& words, const mcp::Tool& tool);
/// Letters and digits between everything else, in lower case (ASCII; other letters as they are), each word once.
std::vector<std::string> search_words(std::string_view text);

/// Best first; of equal ones by name.
std::string find_tools_answer(const FindToolsRequest& request, std::span<const SearchedTool> tools);

}  // namespace tideline::hub

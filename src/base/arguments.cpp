#include "base/arguments.hpp"

#include <algorithm>

namespace tideline {
namespace {

constexpr Option help_option{"help", "", "show this help"};

const Option* find_option(const Command& command, std::string_view name) {
  if (name == help_option.name) return &help_option;
  const auto found = std::find_if(command.options.begin(), command.options.end(), [&](const Option& o) { return o.name == name; });
  return found == command.options.end() ? nullptr : &*found;
}

std::string unknown_option(const Command& command, std::string_view name) {
  std::vector<std::string_view> known;
  for (const Option& option : command.options) known.push_back(option.name);
  std::string text = "unknown option --" + std::string(name) + " for '" + std::string(command.name) + "'";
  const std::string_view near = nearest_name(name, known);
  return near.empty() ? text + "; see --help" : text + "; did you mean --" + std::string(near) + "?";
}

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

void append_padded(std::string& text, std::string_view word, size_t width) {
  text.append(word);
  text.append(width > word.size() ? width - word.size() : 1, ' ');
}

}  // namespace

bool Arguments::parse(const Command& command, std::span<const char* const> words, Arguments& out, std::string& error) {
  bool options_ended = false;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    if (options_ended || !word.starts_with("-") || word == "-") {
      out.words_.emplace_back(word);
      continue;
    }
    if (word == "--") {
      options_ended = true;
      continue;
    }
    const size_t equals = word.find('=');
    const std::string_view name = word == "-h" ? "help" : word.substr(0, equals).substr(word.starts_with("--") ? 2 : 1);
    const Option* option = find_option(command, name);
    if (option == nullptr) {
      error = unknown_option(command, name);
      return false;
    }
    std::string value;
    if (equals != std::string_view::npos) {
      value = word.substr(equals + 1);
      if (option->value.empty()) error = "option --" + std::string(name) + " takes no value";
    } else if (!option->value.empty()) {
      if (i + 1 == words.size()) {
        error = "option --" + std::string(name) + " needs a value: " + std::string(option->value);
      } else {
        value = words[++i];
      }
    }
    if (!error.empty()) return false;
    out.options_[std::string(name)] = value;
  }
  if (command.arguments.empty() && !out.words_.empty() && !out.wants_help()) {
    error = "'" + std::string(command.name) + "' takes no argument, but '" + out.words_[0] + "' was given";
    return false;
  }
  return true;
}

std::string Arguments::get(std::string_view option, std::string_view otherwise) const {
  const auto found = options_.find(std::string(option));
  return found == options_.end() ? std::string(otherwise) : found->second;
}

const Command* find_command(std::span<const Command> commands, std::span<const char* const>& words) {
  for (const size_t length : {size_t{2}, size_t{1}}) {
    if (words.size() < length) continue;
    std::string name = words[0];
    if (length == 2) name += std::string(" ") + words[1];
    for (const Command& command : commands) {
      if (command.name != name) continue;
      words = words.subspan(length);
      return &command;
    }
  }
  return nullptr;
}

std::string command_help(std::string_view program, const Command& command) {
  std::string text = "usage: " + std::string(program) + " " + std::string(command.name);
  if (!command.options.empty()) text += " [options]";
  if (!command.arguments.empty()) text += " " + std::string(command.arguments);
  text += "\n\n" + std::string(command.summary) + "\n";
  if (!command.details.empty()) text += "\n" + std::string(command.details) + "\n";
  text += "\noptions:\n";
  const auto left = [](const Option& option) {
    return "--" + std::string(option.name) + (option.value.empty() ? "" : " " + std::string(option.value));
  };
  size_t width = left(help_option).size();
  for (const Option& option : command.options) width = std::max(width, left(option).size());
  const auto add = [&](const Option& option) {
    text += "  ";
    append_padded(text, left(option), width + 2);
    text += std::string(option.help) + "\n";
  };
  for (const Option& option : command.options) add(option);
  add(help_option);
  return text;
}

std::string program_help(std::string_view program, std::string_view purpose, std::span<const Command> commands) {
  std::string text = "usage: " + std::string(program) + " COMMAND [options]\n\n" + std::string(purpose) + "\n\ncommands:\n";
  size_t width = 0;
  for (const Command& command : commands) width = std::max(width, command.name.size());
  for (const Command& command : commands) {
    text += "  ";
    append_padded(text, command.name, width + 2);
    text += std::string(command.summary) + "\n";
  }
  return text + "\n'" + std::string(program) + " COMMAND --help' tells more about one command.\n" +
         "exit codes: 0 done, 1 failed, 2 usage or configuration, 3 not authorised, 4 unreachable\n";
}

std::string_view nearest_name(std::string_view wrong, std::span<const std::string_view> known) {
  std::string_view best;
  size_t best_distance = wrong.size() / 3 + 1;
  for (const std::string_view name : known) {
    const size_t distance = edit_distance(wrong, name);
    if (distance > best_distance || (distance == best_distance && !best.empty())) continue;
    best = name;
    best_distance = distance;
  }
  return best;
}

}  // namespace tideline

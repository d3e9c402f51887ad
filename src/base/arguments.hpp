// Command lines, the same way for both programs: a table of options per command gives parsing, errors and --help.
//
// `--name value`, `--name=value`, flags without value, positional words, `--` ends options. No abbreviations, no bundling.
// Pure: prints nothing. Errors are texts for people; the caller exits with code 2.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tideline {

struct Option {
  std::string_view name;     ///< without dashes
  std::string_view value;    ///< what the value is called in the help ("FILE"), "" for a flag
  std::string_view help;     ///< one sentence
};

struct Command {
  std::string_view name;       ///< "record"; two words for sub-commands: "token create"
  std::string_view arguments;  ///< positional words as shown in the usage line, "" if none are taken
  std::string_view summary;    ///< one line for the list of commands
  std::string_view details;    ///< paragraphs and examples for the command's own help, may be ""
  std::span<const Option> options;
};

class Arguments {
 public:
  /// Parses what follows the command's name. On failure `error` says what is wrong and what is known.
  static bool parse(const Command& command, std::span<const char* const> words, Arguments& out, std::string& error);

  bool has(std::string_view option) const { return options_.contains(std::string(option)); }
  std::string get(std::string_view option, std::string_view otherwise = "") const;
  const std::vector<std::string>& words() const { return words_; }
  bool wants_help() const { return has("help"); }

 private:
  std::map<std::string, std::string> options_;
  std::vector<std::string> words_;
};

/// The command whose name matches the first one or two of `words`; moves `words` past it. nullptr if none does.
const Command* find_command(std::span<const Command> commands, std::span<const char* const>& words);

/// "usage: tideline record ..." with options, defaults and examples.
std::string command_help(std::string_view program, const Command& command);
/// The list of commands.
std::string program_help(std::string_view program, std::string_view purpose, std::span<const Command> commands);

/// The name in `known` nearest to `wrong` (at most a third of its letters differ), or "": for "did you mean".
std::string_view nearest_name(std::string_view wrong, std::span<const std::string_view> known);

}  // namespace tideline

// BuiltinProvider: prompts with what a model needs to answer them, and completion of their arguments.
#include <algorithm>

#include "agent/gateway/builtin_offer.hpp"
#include "agent/gateway/builtin_provider.hpp"
#include "agent/gateway/tool_arguments.hpp"
#include "mcp/content.hpp"

namespace tideline::agent {
namespace {

constexpr const char* ages[] = {"-15m", "-1h", "-6h", "-24h", "-7d"};

/// A JSON document inside a prompt, under its address.
std::string embedded(std::string_view address, std::string_view json) {
  return mcp::embedded_content(mcp::text_resource(address, "application/json", json));
}

}  // namespace

void BuiltinProvider::prompt(const Job& job) { job.target == "diagnose_device" ? diagnose_device(job) : explain_outage(job); }

void BuiltinProvider::diagnose_device(const Job& job) {
  const std::string series = mcp::text_argument(mcp::Slice(job.arguments), "series");
  std::string findings;
  (void)doctor_json(findings);
  std::string question = "Diagnose the device '" + services_.device() + "'. Its own checks say:\n\n" + findings +
                         "\nThe status and the recorded gaps follow. Say in order of importance what is wrong, how you know, and what to do; say so when all is well. "
                         "Use the tools latest and query where a value or its history would decide.";
  if (!series.empty()) question += " Look closely at the series " + series + ".";
  answers_.reply(job.key, mcp::prompt_result("What is wrong with " + services_.device() + "?",
                                             {mcp::text_content(question), embedded(uri::status, services_.status_json()), embedded(uri::gaps, gaps_json({}))}));
}

void BuiltinProvider::explain_outage(const Job& job) {
  const mcp::Slice arguments(job.arguments);
  const std::string since = mcp::text_argument(arguments, "since");
  const std::string series = mcp::text_argument(arguments, "series");
  TimeRange range;
  if (const std::string problem = mcp::read_when(since, services_.moment().utc, range.from_ns); !problem.empty()) {
    answers_.fail(job.key, {mcp::RpcCode::invalid_params, "since: " + problem, {}});
    return;
  }
  std::string link;
  (void)sync_json(false, link);
  const std::string question =
      "Explain what happened on the device '" + services_.device() + "' since " + format_utc({range.from_ns}) + (series.empty() ? "" : ", above all to the series " + series) +
      ". " + link + "\n\nThe recorded gaps and the status follow. Tell apart: readings that are lost (gaps, with their reason), readings that only wait to be sent (backlog), "
      "times when the agent did not run (not_listening), and a producer that was silent. Use query with the time of interest to see which series stopped when.";
  answers_.reply(job.key, mcp::prompt_result("What happened since " + since + "?",
                                             {mcp::text_content(question), embedded(uri::gaps, gaps_json(range)), embedded(uri::status, services_.status_json())}));
}

void BuiltinProvider::complete(const Job& job) {
  const mcp::Slice argument = mcp::find_member(mcp::Slice(job.arguments), "argument");
  const std::string name = mcp::text_argument(argument, "name");
  const std::string typed = mcp::text_argument(argument, "value");
  std::vector<std::string> values;
  if (name == "since") {
    for (const char* age : ages) {
      if (std::string_view(age).starts_with(typed)) values.emplace_back(age);
    }
  } else if (name == "series" || (name == "name" && job.target == uri::series_template)) {
    const model::SeriesDictionary& dictionary = services_.dictionary();
    for (model::SeriesId id = 0; id < dictionary.size(); ++id) {
      std::string key = dictionary.at(id).key();
      if (key.starts_with(typed)) values.push_back(std::move(key));
    }
    std::sort(values.begin(), values.end());
    // One name in two units is two series.
    values.erase(std::unique(values.begin(), values.end()), values.end());
  }
  answers_.reply(job.key, mcp::completion_result(values));
}

}  // namespace tideline::agent

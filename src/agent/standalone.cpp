#include "agent/standalone.hpp"

#include "agent/options.hpp"
#include "small_file.hpp"

namespace tideline::agent {

Standalone::Standalone(const Config& config, uv::Loop& loop, Log& log) : config_(config), loop_(loop), log_(log), rules_(config.series) {}

Standalone::~Standalone() {
  if (outbox_ != nullptr) outbox_->close();
}

Status Standalone::open(std::string& problem) {
  const std::string directory = state_directory(config_);
  if (const Status made = platform::make_directories(directory); !made) {
    problem = store_problem(directory, made.error());
    return made;
  }
  auto opened = Outbox::open(store_options(config_), first_anchor(), loop_, static_cast<Outbox::Listener&>(*this), log_);
  if (!opened) {
    problem = store_problem(directory, opened.error());
    return opened.error();
  }
  outbox_ = std::move(*opened);
  clock_ = std::make_unique<AgentClock>(*outbox_);
  collector_ = std::make_unique<Collector>(*outbox_, loop_, static_cast<Collector::Listener&>(*this));
  reporter_ = std::make_unique<Reporter>(config_, *outbox_, *clock_, nullptr, nullptr);
  keeper_ = std::make_unique<ContextKeeper>(*outbox_, config_.context.declarations, [this] { return clock_->stamp(); }, log_);
  context_ = std::make_unique<ContextCommands>(*keeper_);
  control_ = std::make_unique<Control>(*outbox_, static_cast<Control::Host&>(*this));
  if (config_.context.enabled) control_->set_context(*keeper_, *context_);
  return {};
}

StatusReport Standalone::report() {
  StatusReport report = reporter_->report();
  if (config_.context.enabled) report.context = context_report(*keeper_);
  return report;
}

}  // namespace tideline::agent

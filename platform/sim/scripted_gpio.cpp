#include "sim/scripted_gpio.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace tideline::platform {

class ScriptedLine final : public GpioLine {
 public:
  explicit ScriptedLine(ScriptedGpio& chip) : chip_(chip) {}
  Result<bool> is_active() override {
    if (!chip_.is_there_) return Error{ErrorCode::not_found, ENODEV, "read the line"};
    return chip_.is_active_;
  }
  bool has_edges() const override { return chip_.has_edges_; }
  Status take_edges(std::vector<GpioEdge>& out) override {
    char drained[64];
    while (::read(chip_.pipe_[0], drained, sizeof drained) > 0) continue;
    if (!chip_.is_there_) return Error{ErrorCode::not_found, ENODEV, "read edges"};
    out.insert(out.end(), chip_.waiting_.begin(), chip_.waiting_.end());
    chip_.waiting_.clear();
    return {};
  }
  int descriptor() const override { return chip_.pipe_[0]; }

 private:
  ScriptedGpio& chip_;
};

ScriptedGpio::ScriptedGpio() {
  if (::pipe2(pipe_, O_NONBLOCK | O_CLOEXEC) != 0) std::abort();
}

ScriptedGpio::~ScriptedGpio() {
  ::close(pipe_[0]);
  ::close(pipe_[1]);
}

void ScriptedGpio::edge(bool is_active, Instant at) {
  is_active_ = is_active;
  if (settings_.rising_only && !is_active) return;
  waiting_.push_back({at, is_active, ++number_});
  (void)!::write(pipe_[1], "e", 1);
}

void ScriptedGpio::lose_edges(uint32_t count, bool is_active) {
  number_ += count;
  is_active_ = is_active;
}

void ScriptedGpio::pull_out() {
  is_there_ = false;
  (void)!::write(pipe_[1], "e", 1);
}

Result<std::unique_ptr<GpioLine>> ScriptedGpio::open(const GpioSettings& settings) {
  settings_ = settings;
  RETURN_IF_ERROR(refusal_);
  if (!is_there_) return Error{ErrorCode::not_found, ENOENT, "open the GPIO chip"};
  waiting_.clear();
  number_ = 0;
  return std::unique_ptr<GpioLine>(std::make_unique<ScriptedLine>(*this));
}

}  // namespace tideline::platform

// A program whose output is readings: run once per interval, or kept running. Its lines are Influx line protocol, JSON, or a bare
// number. Started from an argument list, without a shell, in a process group that is killed as a whole.
//
// Owned by Inputs. Thread: loop. Bounds: the timeout, limits::exec_output_bytes for one run, limits::exec_error_bytes of its
// standard error for the log. While the sink has no room its pipe is not read.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <unordered_map>

#include "agent/inputs/input_config.hpp"
#include "agent/inputs/input_status.hpp"
#include "agent/inputs/line_parser.hpp"
#include "agent/inputs/line_splitter.hpp"
#include "agent/inputs/report_filter.hpp"
#include "agent/inputs/series_rules.hpp"
#include "agent/inputs/sink.hpp"
#include "agent/inputs/stamp_clock.hpp"
#include "base/log.hpp"
#include "wrap/uv/loop.hpp"
#include "wrap/uv/process.hpp"

namespace tideline::agent {

class ExecInput final : private uv::Process::Listener, private uv::Stream::Listener, private uv::Timer::Listener, private Sink {
 public:
  /// The references outlive it.
  ExecInput(InputConfig config, const SeriesRules& rules, Sink& sink, StampClock& clock, uv::Loop& loop, Log& log);
  ~ExecInput() override;

  /// It is due: starts the program unless it runs.
  void run();
  void stop();
  void on_room();
  const InputStatus& status() const { return status_; }

 private:
  void on_exit(uv::Process& process, int64_t exit_code, int signal) override;
  void on_read(uv::Stream& stream, Bytes bytes) override;
  void on_end(uv::Stream& stream) override;
  void on_failed(uv::Stream& stream, Error error) override;
  void on_timer(uv::Timer& timer) override;
  // The parser's sink: readings pass the filters on their way to the agent's.
  Result<SeriesHandle> resolve(const model::Series& series) override;
  model::ReadingBatch& batch(model::Stream stream) override { return batches_[model::index_of(stream)]; }
  bool has_room() const override { return sink_.has_room(); }
  void declare_lost(model::Stream stream, uint64_t readings) override { sink_.declare_lost(stream, readings); }

  void take_output(Bytes bytes);
  void take_line(std::string_view line);
  const char* take_number(double value, UtcNanos now);
  void pass_on();
  bool should_pass(const model::Reading& reading, std::string_view text, Instant now);
  void finish_if_ended();
  void finish(const std::string& failure);

  InputConfig config_;
  const SeriesRules& rules_;
  Sink& sink_;
  StampClock& clock_;
  uv::Loop& loop_;
  Log& log_;
  InputStatus status_;
  LineParser parser_;
  LineSplitter splitter_;
  std::array<model::ReadingBatch, model::stream_count> batches_;
  std::unordered_map<model::SeriesId, ReportFilter> filters_;
  std::unique_ptr<uv::Process> process_;
  uv::Timer timer_;
  ByteBuffer left_;                // output not taken yet for want of room
  std::string errors_;             // start of its standard error
  std::string failure_;            // of this run, so far
  size_t output_bytes_ = 0;
  bool has_exited_ = false;
  bool has_ended_ = false;         // output
  bool is_failing_ = false;
};

}  // namespace tideline::agent

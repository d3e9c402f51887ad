// A child process in its own session and process group, with three pipes.
//
// Owned by whoever supervises the child. Thread: loop. Destroying it kills the whole group with SIGKILL; libuv reaps the child
// even then. Nothing is inherited but what the caller names: arguments, environment, the three pipes.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "wrap/uv/loop.hpp"
#include "wrap/uv/stream.hpp"

struct uv_process_s;

namespace tideline::uv {

struct ProcessOptions {
  std::vector<std::string> arguments;    ///< [0] is the program, looked up in the child's PATH; no shell is involved
  std::vector<std::string> environment;  ///< "NAME=value", all of it: what the operator's allow-list let through
  std::string directory;                 ///< "" keeps ours
};

struct ProcessEnder {
  void operator()(uv_process_s* handle) const;
};

class Process {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    /// `signal` is 0 unless one ended it. Output may still be in the pipes: wait for their on_end().
    virtual void on_exit(Process& process, int64_t exit_code, int signal) = 0;
  };
  /// The streams' events (on_read for output and errors) go to `streams`; reading is not started yet.
  /// Errors: not_found or denied (the program), io.
  static Result<std::unique_ptr<Process>> spawn(Loop& loop, const ProcessOptions& options, Listener& listener,
                                                Stream::Listener& streams);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  Stream& input() { return *input_; }    ///< its stdin, written by us
  Stream& output() { return *output_; }  ///< its stdout
  Stream& errors() { return *errors_; }  ///< its stderr
  int pid() const { return pid_; }
  bool is_running() const { return running_; }
  /// To the child and everything it started that stayed in its group. Also reaches those left after the child's own exit.
  void signal_group(int signal);

 private:
  friend struct ProcessCallbacks;
  explicit Process(Listener& listener) : listener_(listener) {}

  Listener& listener_;
  std::unique_ptr<uv_process_s, ProcessEnder> handle_;
  std::unique_ptr<Stream> input_;
  std::unique_ptr<Stream> output_;
  std::unique_ptr<Stream> errors_;
  int pid_ = 0;
  bool running_ = false;
};

}  // namespace tideline::uv

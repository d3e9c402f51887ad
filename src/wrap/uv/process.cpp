#include "wrap/uv/process.hpp"

#include <csignal>
#include <uv.h>

#include <cassert>

namespace tideline::uv {
namespace {

std::vector<char*> as_pointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));  // libuv does not write to them
  pointers.push_back(nullptr);
  return pointers;
}

void delete_process(uv_handle_t* closed) { delete reinterpret_cast<uv_process_t*>(closed); }

}  // namespace

struct ProcessCallbacks {
  static void on_exit(uv_process_t* handle, int64_t exit_code, int signal) {
    auto* const process = static_cast<Process*>(handle->data);
    if (process == nullptr) {  // the owner left earlier: this was the wait for the child's end
      return uv_close(reinterpret_cast<uv_handle_t*>(handle), delete_process);
    }
    process->running_ = false;
    process->listener_.on_exit(*process, exit_code, signal);
  }
};

void ProcessEnder::operator()(uv_process_s* handle) const {
  // libuv waits only for children whose handle is open: closing a running one would leave a zombie.
  const bool running = handle->data != nullptr && static_cast<Process*>(handle->data)->is_running();
  handle->data = nullptr;
  if (!running) return uv_close(reinterpret_cast<uv_handle_t*>(handle), delete_process);
  ::kill(-handle->pid, SIGKILL);
}

Process::~Process() = default;

Result<std::unique_ptr<Process>> Process::spawn(Loop& loop, const ProcessOptions& options, Listener& listener,
                                                Stream::Listener& streams) {
  assert(!options.arguments.empty());
  std::unique_ptr<Process> process(new Process(listener));
  process->input_.reset(new Stream(loop, streams, Stream::Kind::pipe));
  process->output_.reset(new Stream(loop, streams, Stream::Kind::pipe));
  process->errors_.reset(new Stream(loop, streams, Stream::Kind::pipe));
  // Named from the child's side.
  uv_stdio_container_t stdio[3];
  stdio[0].flags = static_cast<uv_stdio_flags>(UV_CREATE_PIPE | UV_READABLE_PIPE);
  stdio[0].data.stream = process->input_->raw();
  stdio[1].flags = static_cast<uv_stdio_flags>(UV_CREATE_PIPE | UV_WRITABLE_PIPE);
  stdio[1].data.stream = process->output_->raw();
  stdio[2].flags = static_cast<uv_stdio_flags>(UV_CREATE_PIPE | UV_WRITABLE_PIPE);
  stdio[2].data.stream = process->errors_->raw();

  std::vector<char*> arguments = as_pointers(options.arguments);
  std::vector<char*> environment = as_pointers(options.environment);
  uv_process_options_t uv_options{};
  uv_options.exit_cb = &ProcessCallbacks::on_exit;
  uv_options.file = arguments[0];
  uv_options.args = arguments.data();
  uv_options.env = environment.data();
  uv_options.cwd = options.directory.empty() ? nullptr : options.directory.c_str();
  uv_options.flags = UV_PROCESS_DETACHED;  // setsid: its own session and group, so that a signal reaches its children too
  uv_options.stdio = stdio;
  uv_options.stdio_count = 3;

  auto* const handle = new uv_process_t;
  handle->data = nullptr;
  const int code = uv_spawn(loop.raw(), handle, &uv_options);
  process->handle_.reset(handle);  // initialised even when uv_spawn fails, and then not running
  handle->data = process.get();
  if (code < 0) return to_error(code, "start program");
  process->pid_ = handle->pid;
  process->running_ = true;
  return process;
}

void Process::signal_group(int signal) {
  if (pid_ > 0) ::kill(-pid_, signal);
}

}  // namespace tideline::uv

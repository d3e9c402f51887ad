#include "wrap/uv/standard_io.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <uv.h>

#include <cerrno>

#include "base/limits.hpp"
#include "base/log.hpp"

namespace tideline::uv {

/// One read or write on a helper thread. Owns its memory, so that its owner may leave meanwhile.
struct FileJob {
  uv_fs_t request{};
  ByteBuffer bytes;
};

struct FileCallbacks {
  template <class Owner>
  static Owner* finish(uv_fs_t* request, FileJob*& job) {
    job = reinterpret_cast<FileJob*>(request);
    auto* const owner = static_cast<Owner*>(request->data);
    uv_fs_req_cleanup(request);
    if (owner != nullptr) owner->job_ = nullptr;
    return owner;
  }
  static void on_read(uv_fs_t* request) {
    FileJob* job = nullptr;
    auto* const input = finish<StandardInput>(request, job);
    const std::unique_ptr<FileJob> owned(job);
    const int64_t count = request->result;
    if (input == nullptr) return;
    if (count > 0) input->listener_.on_input(Bytes(owned->bytes).first(static_cast<size_t>(count)));
    input->on_file_read(count);
  }
  static void on_write(uv_fs_t* request) {
    FileJob* job = nullptr;
    auto* const output = finish<StandardOutput>(request, job);
    const std::unique_ptr<FileJob> owned(job);
    if (output == nullptr) return;
    output->queue_.front() = std::move(owned->bytes);
    output->on_file_written(request->result);
  }
};

namespace {

bool is_file(int fd) { return uv_guess_handle(fd) == UV_FILE; }

/// A descriptor for libuv to own. A FIFO is opened anew where that is possible: setting O_NONBLOCK on a shared description
/// would change it for the shell and its other commands too.
Result<int> own_descriptor(int fd, int mode) {
  if (uv_guess_handle(fd) == UV_NAMED_PIPE) {
    const int opened = ::open(format("/proc/self/fd/%d", fd).c_str(), mode | O_NONBLOCK | O_CLOEXEC);
    if (opened >= 0) return opened;
  }
  const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, 3);
  if (copy < 0) return to_error(uv_translate_sys_error(errno), "standard input or output");
  return copy;
}

Result<std::unique_ptr<Stream>> open_stream(Loop& loop, Stream::Listener& listener, int fd, int mode) {
  ASSIGN_OR_RETURN(const int own, own_descriptor(fd, mode));
  auto stream = Stream::open(loop, listener, own);
  if (!stream) ::close(own);
  return stream;
}

}  // namespace

Result<std::unique_ptr<StandardInput>> StandardInput::open(Loop& loop, Listener& listener, int fd) {
  std::unique_ptr<StandardInput> input(new StandardInput(loop, listener, fd));
  if (is_file(fd)) return input;
  ASSIGN_OR_RETURN(input->stream_, open_stream(loop, *input, fd, O_RDONLY));
  return input;
}

StandardInput::~StandardInput() {
  if (job_ != nullptr) job_->request.data = nullptr;
}

void StandardInput::start_reading() {
  reading_ = true;
  if (stream_ != nullptr) stream_->start_reading();
  else if (job_ == nullptr) read_file();
}

void StandardInput::stop_reading() {
  reading_ = false;
  if (stream_ != nullptr) stream_->stop_reading();
}

void StandardInput::on_read(Stream&, Bytes bytes) { listener_.on_input(bytes); }
void StandardInput::on_end(Stream&) { listener_.on_input_end(); }
void StandardInput::on_failed(Stream&, Error error) { listener_.on_input_failed(error); }

void StandardInput::read_file() {
  job_ = new FileJob;
  job_->bytes.resize(limits::read_buffer_bytes);
  job_->request.data = this;
  const uv_buf_t buffer = uv_buf_init(reinterpret_cast<char*>(job_->bytes.data()), static_cast<unsigned>(job_->bytes.size()));
  // Offset -1: from where the descriptor stands, which also serves /dev/null and other character devices.
  uv_fs_read(loop_.raw(), &job_->request, fd_, &buffer, 1, -1, &FileCallbacks::on_read);
}

void StandardInput::on_file_read(int64_t count) {
  if (count < 0) return listener_.on_input_failed(to_error(static_cast<int>(count), "read file"));
  if (count == 0) return listener_.on_input_end();
  if (reading_ && job_ == nullptr) read_file();
}

Result<std::unique_ptr<StandardOutput>> StandardOutput::open(Loop& loop, Listener& listener, int fd) {
  std::unique_ptr<StandardOutput> output(new StandardOutput(loop, listener, fd));
  if (is_file(fd)) return output;
  ASSIGN_OR_RETURN(output->stream_, open_stream(loop, *output, fd, O_WRONLY));
  return output;
}

StandardOutput::~StandardOutput() {
  if (job_ != nullptr) job_->request.data = nullptr;
}

void StandardOutput::write(Bytes bytes) {
  if (stream_ != nullptr) return stream_->write_copy(bytes);
  if (bytes.empty() || failed_) return;
  queued_bytes_ += bytes.size();
  queue_.emplace_back(bytes.begin(), bytes.end());
  if (job_ == nullptr) write_file();
}

size_t StandardOutput::queued_bytes() const { return stream_ != nullptr ? stream_->queued_bytes() : queued_bytes_; }

void StandardOutput::on_failed(Stream&, Error error) { listener_.on_output_failed(error); }
void StandardOutput::on_drained(Stream&) { listener_.on_output_drained(); }

void StandardOutput::write_file() {
  job_ = new FileJob;
  job_->bytes = std::move(queue_.front());
  job_->request.data = this;
  const uv_buf_t rest = uv_buf_init(reinterpret_cast<char*>(job_->bytes.data()) + sent_,
                                    static_cast<unsigned>(job_->bytes.size() - sent_));
  uv_fs_write(loop_.raw(), &job_->request, fd_, &rest, 1, -1, &FileCallbacks::on_write);
}

void StandardOutput::on_file_written(int64_t count) {
  if (count < 0) {
    failed_ = true;
    return listener_.on_output_failed(to_error(static_cast<int>(count), "write file"));
  }
  sent_ += static_cast<size_t>(count);
  queued_bytes_ -= static_cast<size_t>(count);
  if (sent_ == queue_.front().size()) {
    queue_.pop_front();
    sent_ = 0;
  }
  if (!queue_.empty()) return write_file();
  listener_.on_output_drained();
}

}  // namespace tideline::uv

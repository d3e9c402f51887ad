// Standard input and output of a command, whatever the shell made of them: a pipe, a socket, a terminal, a file, /dev/null.
//
// Owned by the command. Thread: loop; files are read and written on libuv's helper threads, because a disk may block. Reading
// is bounded by the loop's read buffer; writing is bounded by its caller, who asks queued_bytes(). No event after destruction;
// must not be destroyed inside one of its own events (Loop::retire).
#pragma once

#include <deque>
#include <memory>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "wrap/uv/loop.hpp"
#include "wrap/uv/stream.hpp"

namespace tideline::uv {

struct FileJob;

class StandardInput final : private Stream::Listener {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void on_input(Bytes bytes) = 0;
    virtual void on_input_end() = 0;
    /// The last event.
    virtual void on_input_failed(Error error) = 0;
  };
  /// Reads from `fd` (0 for a command), which stays open. Errors: io, unsupported (a directory, a listening socket).
  static Result<std::unique_ptr<StandardInput>> open(Loop& loop, Listener& listener, int fd);
  ~StandardInput() override;
  void start_reading();
  /// From a file, what a helper thread is reading now is still delivered.
  void stop_reading();

 private:
  friend struct FileCallbacks;
  StandardInput(Loop& loop, Listener& listener, int fd) : loop_(loop), listener_(listener), fd_(fd) {}
  void on_read(Stream& stream, Bytes bytes) override;
  void on_end(Stream& stream) override;
  void on_failed(Stream& stream, Error error) override;
  void read_file();
  void on_file_read(int64_t count);

  Loop& loop_;
  Listener& listener_;
  std::unique_ptr<Stream> stream_;  // null for a file
  FileJob* job_ = nullptr;          // read under way; frees itself
  int fd_;
  bool reading_ = false;
};

class StandardOutput final : private Stream::Listener {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    /// The queue became empty.
    virtual void on_output_drained() {}
    /// The reader is gone, or the disk is full. The last event.
    virtual void on_output_failed(Error error) = 0;
  };
  /// Writes to `fd` (1 for a command), which stays open. Errors: io, unsupported.
  static Result<std::unique_ptr<StandardOutput>> open(Loop& loop, Listener& listener, int fd);
  ~StandardOutput() override;
  /// `bytes` stay the caller's: what cannot be written at once is copied.
  void write(Bytes bytes);
  size_t queued_bytes() const;

 private:
  friend struct FileCallbacks;
  StandardOutput(Loop& loop, Listener& listener, int fd) : loop_(loop), listener_(listener), fd_(fd) {}
  void on_read(Stream&, Bytes) override {}
  void on_end(Stream&) override {}
  void on_failed(Stream& stream, Error error) override;
  void on_drained(Stream& stream) override;
  void write_file();
  void on_file_written(int64_t count);

  Loop& loop_;
  Listener& listener_;
  std::unique_ptr<Stream> stream_;  // null for a file
  FileJob* job_ = nullptr;          // write under way; frees itself
  std::deque<ByteBuffer> queue_;    // for a file: the first one is being written, from sent_ on
  size_t queued_bytes_ = 0;
  size_t sent_ = 0;
  int fd_;
  bool failed_ = false;
};

}  // namespace tideline::uv

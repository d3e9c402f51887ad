// A loop that is run until something has happened, and listeners that write down what came.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "support/temp_dir.hpp"
#include "wrap/uv/listen_socket.hpp"
#include "wrap/uv/stream.hpp"

namespace tideline::uv {

class LoopTest : public ::testing::Test {
 protected:
  /// Turns of the loop until `is_done`; false after ten seconds, which only a failure takes.
  template <class Predicate>
  bool run_until(Predicate is_done) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!is_done()) {
      if (std::chrono::steady_clock::now() > give_up) return false;
      loop.run_once();
    }
    return true;
  }
  void run_turns(int count) {
    for (int i = 0; i < count; ++i) loop.run_once();
  }
  Loop loop;
};

struct StreamEvents : Stream::Listener {
  void on_connected(Stream&) override { connected = true; }
  void on_read(Stream& stream, Bytes bytes) override {
    text += as_text(bytes);
    if (stop_after_read) stream.stop_reading();
  }
  void on_end(Stream&) override { ended = true; }
  void on_failed(Stream&, Error why) override {
    failed = true;
    error = why;
  }
  void on_drained(Stream&) override { ++drained; }

  std::string text;
  Error error;
  int drained = 0;
  bool connected = false;
  bool ended = false;
  bool failed = false;
  bool stop_after_read = false;
};

/// Accepts everything at once.
struct Server : ListenSocket::Listener {
  void on_connection(ListenSocket& socket) override {
    ++announced;
    if (hold) return;
    take(socket);
  }
  void take(ListenSocket& socket) {
    events.push_back(std::make_unique<StreamEvents>());
    auto stream = socket.accept(*events.back());
    if (!stream) return events.pop_back();
    streams.push_back(std::move(*stream));
    streams.back()->start_reading();
  }
  std::vector<std::unique_ptr<StreamEvents>> events;
  std::vector<std::unique_ptr<Stream>> streams;
  int announced = 0;
  bool hold = false;
};

inline ByteBuffer bytes_of(std::string_view text) { return {text.begin(), text.end()}; }

/// The value of a result that must not fail.
template <class T>
T must(Result<T> result) {
  EXPECT_TRUE(result.has_value()) << (result.has_value() ? "" : result.error().context);
  return std::move(*result);
}

}  // namespace tideline::uv

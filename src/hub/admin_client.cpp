#include "hub/admin_client.hpp"

#include <memory>
#include <optional>

#include "base/limits.hpp"
#include "wrap/uv/loop.hpp"
#include "wrap/uv/stream.hpp"

namespace tideline::hub {
namespace {

class Exchange final : private uv::Stream::Listener, private uv::Timer::Listener {
 public:
  explicit Exchange(std::string request) : request_(std::move(request)), deadline_(loop_, *this) {}

  Result<std::string> run(const std::string& path) {
    ASSIGN_OR_RETURN(stream_, uv::Stream::connect_local(loop_, *this, path));
    deadline_.start(limits::admin_deadline);
    loop_.run();
    stream_.reset();
    if (failure_) return *failure_;
    return line_.substr(0, line_.find('\n'));
  }

 private:
  void on_connected(uv::Stream& stream) override {
    stream.write(ByteBuffer(request_.begin(), request_.end()));
    stream.start_reading();
  }
  void on_read(uv::Stream&, Bytes bytes) override {
    line_.append(as_text(bytes));
    if (line_.find('\n') != std::string::npos) loop_.stop();
  }
  void on_end(uv::Stream&) override { fail({ErrorCode::closed, 0, "the hub ended the connection without an answer"}); }
  void on_failed(uv::Stream&, Error error) override { fail(error); }
  void on_timer(uv::Timer&) override { fail({ErrorCode::timeout, 0, "the hub did not answer"}); }
  void fail(Error error) {
    if (line_.find('\n') == std::string::npos) failure_ = error;
    loop_.stop();
  }

  uv::Loop loop_;
  std::string request_;
  std::unique_ptr<uv::Stream> stream_;
  uv::Timer deadline_;
  std::string line_;
  std::optional<Error> failure_;
};

AdminAnswer failure(std::string text) {
  AdminAnswer answer;
  answer.exit_code = 1;
  answer.error = std::move(text);
  return answer;
}

}  // namespace

Result<AdminAnswer> ask_hub(const StateDirectory& state, const AdminRequest& request) {
  Exchange exchange(encode_admin(request) + "\n");
  const auto line = exchange.run(state.admin_socket());
  if (line) return decode_admin_answer(*line);
  const ErrorCode code = line.error().code;
  if (code == ErrorCode::not_found || code == ErrorCode::unreachable) return Error{ErrorCode::unreachable, line.error().native, "no hub runs here"};
  return line.error();
}

AdminAnswer run_admin(const StateDirectory& state, const AdminRequest& request, UtcNanos now, Log& log) {
  const auto asked = ask_hub(state, request);
  if (asked) return *asked;
  if (asked.error().code != ErrorCode::unreachable) {
    return failure(format("%s: %s (%s)", state.admin_socket().c_str(), asked.error().context, error_name(asked.error().code)));
  }
  const auto archive = open_sqlite_archive(state.archive(), ArchiveMode::write, log);
  if (archive) return execute_admin(**archive, request, now);
  if (archive.error().code == ErrorCode::busy) {
    return failure(format("%s is in use by process %d, which does not answer on %s", state.archive().c_str(), archive.error().native, state.admin_socket().c_str()));
  }
  return failure(format("%s cannot be opened: %s: %s", state.archive().c_str(), archive.error().context, error_name(archive.error().code)));
}

}  // namespace tideline::hub

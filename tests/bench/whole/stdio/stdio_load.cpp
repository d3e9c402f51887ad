// stdio_load: calls an MCP server over its standard input and output (or a Unix socket) as fast as it answers, and prints what that cost as
// one line of JSON. Plain poll(2) and lines made beforehand, so that it stays far below the servers that it measures.
//
// usage: stdio_load SCRIPT [--window N] [--seconds S] [--warm N] [--first] [--account PID]... (--socket PATH [--account PID] | -- COMMAND...)
//
// SCRIPT holds a line each: "tell MESSAGE" is sent, "ask MESSAGE" is sent and its answer awaited, "expect TEXT" must stand in every checked
// answer, "call MESSAGE" is what is measured; ########## in it becomes the id. --first stops after one call: spawn to answer.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr uint64_t first_id = 1'000'000'000;  // ten digits: always as long as the placeholder
constexpr std::string_view placeholder = "##########";
constexpr int patience_ms = 60'000;

[[noreturn]] void fail(const std::string& text) {
  std::fprintf(stderr, "stdio_load: %s\n", text.c_str());
  std::exit(1);
}

int64_t now_ns() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

std::string read_file(const std::string& path) {
  std::string text;
  if (std::FILE* const file = std::fopen(path.c_str(), "rb")) {
    char part[65536];
    for (size_t n = 0; (n = std::fread(part, 1, sizeof part, file)) > 0;) text.append(part, n);
    std::fclose(file);
  }
  return text;
}

/// Time on a processor of all threads of `pid`, from schedstat: nanoseconds, where stat has hundredths of a second.
uint64_t cpu_ns(pid_t pid) {
  uint64_t sum = 0;
  std::error_code error;
  for (const auto& thread : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task", error)) {
    sum += std::strtoull(read_file(thread.path().string() + "/schedstat").c_str(), nullptr, 10);
  }
  return sum;
}

uint64_t memory_kib(pid_t pid, const char* key) {
  const std::string text = read_file("/proc/" + std::to_string(pid) + "/smaps_rollup");
  const size_t at = text.find(key);
  return at == std::string::npos ? 0 : std::strtoull(text.c_str() + at + std::strlen(key), nullptr, 10);
}

struct Options {
  std::string script, socket;
  size_t window = 1, warm = 0;
  double seconds = 1;
  bool only_first = false;
  std::vector<pid_t> accounted;
  std::vector<char*> command;
};

struct Script {
  struct Step {
    std::string line;
    bool is_answered = false;
  };
  std::vector<Step> steps;
  std::string call, expect = "\"result\"";
};

Script read_script(const std::string& path) {
  Script script;
  const std::string text = read_file(path);
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string line = text.substr(at, end - at);
    at = end + 1;
    const size_t space = line.find(' ');
    if (space == std::string::npos) continue;
    const std::string verb = line.substr(0, space), rest = line.substr(space + 1);
    if (verb == "tell" || verb == "ask") script.steps.push_back({rest + "\n", verb == "ask"});
    else if (verb == "expect") script.expect = rest;
    else if (verb == "call") script.call = rest + "\n";
    else fail("script: unknown word " + verb);
  }
  if (script.call.find(placeholder) == std::string::npos) fail("script: a call with ########## is missing");
  return script;
}

class Peer {
 public:
  void spawn(std::vector<char*> command) {
    int in[2], out[2];
    if (pipe(in) != 0 || pipe(out) != 0) fail("pipe");
    begin_ = now_ns();
    pid_ = fork();
    if (pid_ == 0) {
      dup2(in[0], 0);
      dup2(out[1], 1);
      for (const int fd : {in[0], in[1], out[0], out[1]}) close(fd);
      command.push_back(nullptr);
      execvp(command[0], command.data());
      _exit(127);
    }
    close(in[0]);
    close(out[1]);
    open(in[1], out[0]);
  }
  void connect_to(const std::string& path) {
    begin_ = now_ns();
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) fail("connect " + path);
    open(fd, fd);
  }
  ~Peer() {
    close(write_fd_);
    if (pid_ <= 0) return;
    for (int i = 0; i < 500; ++i, usleep(10'000)) {
      if (waitpid(pid_, nullptr, WNOHANG) == pid_) return;
    }
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  pid_t pid() const { return pid_; }
  int64_t begin() const { return begin_; }

  void queue(std::string_view bytes) { unsent_ += bytes; }
  /// Waits until something came and reads it; what is queued is sent meanwhile. Two system calls a turn while the server keeps up.
  void turn() {
    send();
    while (!unsent_.empty()) {
      pollfd fds[2] = {{read_fd_, POLLIN, 0}, {write_fd_, POLLOUT, 0}};
      if (read_fd_ == write_fd_) fds[0].events = POLLIN | POLLOUT;
      if (poll(fds, read_fd_ == write_fd_ ? 1 : 2, patience_ms) == 0) fail("no answer for 60 s");
      send();
      if ((fds[0].revents & (POLLIN | POLLHUP)) != 0) return take();
    }
    take();
  }
  /// The next whole line, valid until the next call; false when there is none.
  bool line(std::string_view& out) {
    const size_t end = in_.find('\n', read_);
    if (end == std::string::npos) {
      in_.erase(0, read_);
      read_ = 0;
      return false;
    }
    out = std::string_view(in_).substr(read_, end - read_);
    read_ = end + 1;
    return true;
  }

 private:
  void open(int write_fd, int read_fd) {
    write_fd_ = write_fd;
    read_fd_ = read_fd;
    if (write_fd_ != read_fd_) fcntl(write_fd_, F_SETFL, O_NONBLOCK);
  }
  void send() {
    while (!unsent_.empty()) {
      const ssize_t sent = read_fd_ == write_fd_ ? ::send(write_fd_, unsent_.data(), unsent_.size(), MSG_DONTWAIT) : write(write_fd_, unsent_.data(), unsent_.size());
      if (sent < 0 && errno == EAGAIN) return;
      if (sent <= 0) fail("the server ended");
      unsent_.erase(0, static_cast<size_t>(sent));
    }
  }
  void take() {
    const size_t before = in_.size();
    in_.resize(before + 65536);
    const ssize_t got = read(read_fd_, in_.data() + before, 65536);
    in_.resize(before + static_cast<size_t>(std::max<ssize_t>(got, 0)));
    if (got == 0) fail("the server ended");
    if (got < 0) fail("no answer for 60 s");
  }

  pid_t pid_ = -1;
  int64_t begin_ = 0;
  int write_fd_ = -1, read_fd_ = -1;
  std::string unsent_, in_;
  size_t read_ = 0;
};

/// Ids are ten digits from first_id on, so they are found without parsing; 0 for what is no answer to a call.
uint64_t id_of(std::string_view line) {
  for (size_t at = line.find("\"id\":1"); at != std::string_view::npos; at = line.find("\"id\":1", at + 1)) {
    const uint64_t id = std::strtoull(line.data() + at + 5, nullptr, 10);
    if (id >= first_id) return id;
  }
  return 0;
}

void converse(Peer& peer, const Script& script) {
  for (const Script::Step& step : script.steps) {
    peer.queue(step.line);
    std::string_view line;
    while (step.is_answered) {
      if (!peer.line(line)) peer.turn();
      else if (line.find("\"method\"") == std::string_view::npos) break;
    }
    if (step.is_answered && line.find("\"result\"") == std::string_view::npos) fail("answer: " + std::string(line));
  }
}

class Run {
 public:
  Run(Peer& peer, const Script& script, size_t window) : peer_(peer), script_(script), call_(script.call), window_(window), place_(call_.find(placeholder)) {}

  /// Calls until `until` and at least `least` of them, all answered at the end.
  void go(int64_t until, size_t least) {
    const size_t goal = answered_ + least;
    for (size_t i = 0; i < window_; ++i) ask();
    while (in_flight_ > 0) {
      std::string_view line;
      bool any = false;
      while (peer_.line(line)) any |= hear(line);
      const bool goes_on = answered_ + in_flight_ < goal || now_ns() < until;
      while (any && goes_on && in_flight_ < window_) ask();
      if (in_flight_ > 0) peer_.turn();
    }
  }
  std::vector<uint32_t>& latencies() { return latencies_; }
  size_t answer_bytes() const { return answer_bytes_; }

 private:
  void ask() {
    char digits[24];
    std::snprintf(digits, sizeof digits, "%010llu", static_cast<unsigned long long>(first_id + sent_at_.size()));
    call_.replace(place_, placeholder.size(), digits, placeholder.size());
    peer_.queue(call_);
    sent_at_.push_back(now_ns());
    ++in_flight_;
  }
  bool hear(std::string_view line) {
    const uint64_t id = id_of(line);
    if (id < first_id || id - first_id >= sent_at_.size()) return false;
    if (answer_bytes_ == 0) {
      if (line.find(script_.expect) == std::string_view::npos) fail("answer: " + std::string(line.substr(0, 500)));
      answer_bytes_ = line.size();
    } else if (line.size() * 10 < answer_bytes_ * 9 || line.find("\"isError\":true") != std::string_view::npos) {
      fail("answer: " + std::string(line.substr(0, 500)));
    }
    latencies_.push_back(static_cast<uint32_t>(std::min<int64_t>(now_ns() - sent_at_[id - first_id], UINT32_MAX)));
    ++answered_;
    --in_flight_;
    return true;
  }

  Peer& peer_;
  const Script& script_;
  std::string call_;
  size_t window_, place_;
  size_t in_flight_ = 0, answered_ = 0, answer_bytes_ = 0;
  std::vector<int64_t> sent_at_;
  std::vector<uint32_t> latencies_;
};

double at_percent(std::vector<uint32_t>& sorted, double percent) {
  return sorted.empty() ? 0 : sorted[std::min(sorted.size() - 1, static_cast<size_t>(static_cast<double>(sorted.size()) * percent / 100))] / 1e3;
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const auto value = [&] { return i + 1 < argc ? argv[++i] : (fail(word + " needs a value"), nullptr); };
    if (word == "--window") options.window = std::strtoul(value(), nullptr, 10);
    else if (word == "--seconds") options.seconds = std::strtod(value(), nullptr);
    else if (word == "--warm") options.warm = std::strtoul(value(), nullptr, 10);
    else if (word == "--first") options.only_first = true;
    else if (word == "--socket") options.socket = value();
    else if (word == "--account") options.accounted.push_back(std::atoi(value()));
    else if (word == "--") {
      for (++i; i < argc; ++i) options.command.push_back(argv[i]);
    } else options.script = word;
  }
  if (options.script.empty() || (options.command.empty() == options.socket.empty())) fail("give a script, and a command or a socket");
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);
  Options options = parse(argc, argv);
  const Script script = read_script(options.script);
  // A blocking read has no time limit of its own: the process ends when nothing has come for too long.
  alarm(static_cast<unsigned>(options.seconds) + patience_ms / 1000);
  Peer peer;
  options.socket.empty() ? peer.spawn(options.command) : peer.connect_to(options.socket);
  converse(peer, script);
  Run run(peer, script, options.window);
  if (options.only_first) {
    Run(peer, script, 1).go(0, 1);
    std::printf("{\"first_us\":%.1f}\n", static_cast<double>(now_ns() - peer.begin()) / 1e3);
    return 0;
  }
  if (options.warm > 0) run.go(0, options.warm);
  run.latencies().clear();
  if (peer.pid() > 0) options.accounted.insert(options.accounted.begin(), peer.pid());
  std::vector<uint64_t> cpu;
  for (const pid_t pid : options.accounted) cpu.push_back(cpu_ns(pid));
  const uint64_t own = cpu_ns(getpid());
  const int64_t begin = now_ns();
  run.go(begin + static_cast<int64_t>(options.seconds * 1e9), 1);
  const double took = static_cast<double>(now_ns() - begin) / 1e9;
  std::vector<uint32_t>& latencies = run.latencies();
  std::sort(latencies.begin(), latencies.end());
  const double calls = static_cast<double>(latencies.size());
  std::printf("{\"calls\":%.0f,\"seconds\":%.4f,\"calls_s\":%.1f,\"p50_us\":%.1f,\"p99_us\":%.1f,\"max_us\":%.1f,\"answer_bytes\":%zu,\"driver_cpu_us\":%.3f,\"servers\":[",
              calls, took, calls / took, at_percent(latencies, 50), at_percent(latencies, 99), at_percent(latencies, 100), run.answer_bytes(),
              static_cast<double>(cpu_ns(getpid()) - own) / 1e3 / calls);
  for (size_t i = 0; i < options.accounted.size(); ++i) {
    const pid_t pid = options.accounted[i];
    std::printf("%s{\"cpu_us\":%.3f,\"rss_kib\":%llu,\"pss_kib\":%llu}", i == 0 ? "" : ",", static_cast<double>(cpu_ns(pid) - cpu[i]) / 1e3 / calls,
                static_cast<unsigned long long>(memory_kib(pid, "Rss:")), static_cast<unsigned long long>(memory_kib(pid, "Pss:")));
  }
  std::printf("]}\n");
  return 0;
}

#include <fcntl.h>
#include <signal.h>

#include <fstream>

#include "unit/wrap/uv_fixture.hpp"
#include "wrap/uv/fd_poll.hpp"
#include "wrap/uv/process.hpp"
#include "wrap/uv/standard_io.hpp"

namespace tideline::uv {
namespace {

struct ProcessEvents : Process::Listener, Stream::Listener {
  void on_exit(Process&, int64_t code, int number) override {
    exited = true;
    exit_code = code;
    signal = number;
  }
  void on_read(Stream& stream, Bytes bytes) override { (&stream == output ? out : err) += as_text(bytes); }
  void on_end(Stream&) override { ++ends; }
  void on_failed(Stream&, Error) override { ++ends; }
  const Stream* output = nullptr;
  std::string out;
  std::string err;
  int64_t exit_code = -1;
  int signal = 0;
  int ends = 0;
  bool exited = false;
};

class ProcessTest : public LoopTest {
 protected:
  void spawn(std::vector<std::string> arguments, std::vector<std::string> environment = {"PATH=/usr/bin:/bin"}) {
    process = must(Process::spawn(loop, {std::move(arguments), std::move(environment), "/"}, events, events));
    events.output = &process->output();
    process->output().start_reading();
    process->errors().start_reading();
  }
  bool finish() {
    return run_until([&] { return events.exited && events.ends == 2; });
  }
  ProcessEvents events;
  std::unique_ptr<Process> process;
};

TEST_F(ProcessTest, ArgumentsAreNotInterpreted) {
  spawn({"printf", "%s|", "a b", "$HOME", "`id`", "*"});
  ASSERT_TRUE(finish());
  EXPECT_EQ(events.exit_code, 0);
  EXPECT_EQ(events.out, "a b|$HOME|`id`|*|");
}

TEST_F(ProcessTest, EnvironmentIsOnlyWhatWasGiven) {
  spawn({"env"}, {"PATH=/usr/bin:/bin", "ONLY=this"});
  ASSERT_TRUE(finish());
  EXPECT_EQ(events.out, "PATH=/usr/bin:/bin\nONLY=this\n");
}

TEST_F(ProcessTest, PipesAreSeparate) {
  spawn({"sh", "-c", "cat; echo problem >&2; exit 3"});
  process->input().write(bytes_of("through"));
  process->input().finish_writing();
  ASSERT_TRUE(finish());
  EXPECT_EQ(events.out, "through");
  EXPECT_EQ(events.err, "problem\n");
  EXPECT_EQ(events.exit_code, 3);
}

TEST_F(ProcessTest, MissingProgramIsAnError) {
  EXPECT_EQ(Process::spawn(loop, {{"/no/such/program"}, {}, ""}, events, events).error().code, ErrorCode::not_found);
  run_turns(3);
  EXPECT_FALSE(events.exited);
}

TEST_F(ProcessTest, SignalReachesGrandchildren) {
  spawn({"sh", "-c", "sleep 1000 & echo started; wait"});
  ASSERT_TRUE(run_until([&] { return events.out == "started\n"; }));
  process->signal_group(SIGKILL);
  ASSERT_TRUE(finish()) << "the pipes only end when the grandchild is gone, too";
  EXPECT_EQ(events.signal, SIGKILL);
}

TEST_F(ProcessTest, DestructionKillsTheGroupAndReaps) {
  spawn({"sh", "-c", "sleep 1000 & echo started; wait"});
  ASSERT_TRUE(run_until([&] { return events.out == "started\n"; }));
  const int pid = process->pid();
  process.reset();
  ASSERT_TRUE(run_until([&] { return kill(pid, 0) != 0; })) << "neither running nor a zombie";
  EXPECT_FALSE(events.exited);
}

struct InputEvents : StandardInput::Listener {
  void on_input(Bytes bytes) override { text += as_text(bytes); }
  void on_input_end() override { ended = true; }
  void on_input_failed(Error) override { failed = true; }
  std::string text;
  bool ended = false;
  bool failed = false;
};

struct OutputEvents : StandardOutput::Listener {
  void on_output_drained() override { ++drained; }
  void on_output_failed(Error) override { failed = true; }
  int drained = 0;
  bool failed = false;
};

class StandardIo : public LoopTest {
 protected:
  void read_all(int fd) {
    input = must(StandardInput::open(loop, events, fd));
    input->start_reading();
    EXPECT_TRUE(run_until([&] { return events.ended || events.failed; }));
  }
  test::TempDir directory;
  InputEvents events;
  std::unique_ptr<StandardInput> input;
};

TEST_F(StandardIo, FileIsReadWhole) {
  const std::string path = directory.file("lines");
  const std::string content(300'000, 'a');
  std::ofstream(path) << content;
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  read_all(fd);
  EXPECT_EQ(events.text, content);
  ::close(fd);
}

TEST_F(StandardIo, EmptyDeviceEndsAtOnce) {
  const int fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  read_all(fd);
  EXPECT_TRUE(events.ended);
  ::close(fd);
}

TEST_F(StandardIo, DirectoryFails) {
  const int fd = ::open("/", O_RDONLY | O_CLOEXEC);
  auto opened = StandardInput::open(loop, events, fd);
  if (opened) {
    (*opened)->start_reading();
    EXPECT_TRUE(run_until([&] { return events.failed; }));
  }
  ::close(fd);
}

TEST_F(StandardIo, PipeIsReadAndItsDescriptorStaysBlockingForOthers) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  ASSERT_EQ(::write(ends[1], "hello", 5), 5);
  ::close(ends[1]);
  read_all(ends[0]);
  EXPECT_EQ(events.text, "hello");
  EXPECT_EQ(fcntl(ends[0], F_GETFL) & O_NONBLOCK, 0);
  ::close(ends[0]);
}

TEST_F(StandardIo, DestroyedWhileAReadIsUnderWayIsSilent) {
  const std::string path = directory.file("lines");
  std::ofstream(path) << "content";
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  input = must(StandardInput::open(loop, events, fd));
  input->start_reading();
  input.reset();
  while (loop.run_once()) {
  }
  EXPECT_EQ(events.text, "");
  ::close(fd);
}

TEST_F(StandardIo, OutputToAFileKeepsOrder) {
  const std::string path = directory.file("out");
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  OutputEvents written;
  auto output = must(StandardOutput::open(loop, written, fd));
  std::string expected;
  for (int i = 0; i < 100; ++i) {
    const std::string line = "line " + std::to_string(i) + "\n";
    expected += line;
    output->write(bytes_of(line));
  }
  EXPECT_EQ(output->queued_bytes(), expected.size());
  ASSERT_TRUE(run_until([&] { return written.drained == 1; }));
  std::ifstream file(path);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), expected);
  ::close(fd);
}

TEST_F(StandardIo, FullDiskFailsOnce) {
  const int fd = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  OutputEvents written;
  auto output = must(StandardOutput::open(loop, written, fd));
  output->write(bytes_of("x"));
  ASSERT_TRUE(run_until([&] { return written.failed; }));
  output->write(bytes_of("y"));
  run_turns(3);
  EXPECT_EQ(written.drained, 0);
  ::close(fd);
}

struct PollEvents : FdPoll::Listener {
  void on_ready(FdPoll&) override { ++ready; }
  void on_poll_failed(FdPoll&, Error) override { failed = true; }
  int ready = 0;
  bool failed = false;
};

TEST_F(LoopTest, PollTellsWhenADescriptorIsReadable) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  PollEvents events;
  auto poll = must(FdPoll::open(loop, events, ends[0], FdPoll::Event::readable));
  run_turns(3);
  EXPECT_EQ(events.ready, 0);
  ASSERT_EQ(::write(ends[1], "x", 1), 1);
  EXPECT_TRUE(run_until([&] { return events.ready > 0; }));
  poll.reset();
  run_turns(1);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_F(LoopTest, RegularFilesCannotBePolled) {
  test::TempDir directory;
  const int fd = ::open(directory.file("f").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  PollEvents events;
  EXPECT_EQ(FdPoll::open(loop, events, fd, FdPoll::Event::readable).error().code, ErrorCode::unsupported);
  ::close(fd);
}

}  // namespace
}  // namespace tideline::uv

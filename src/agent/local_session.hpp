// One local program that speaks lines to the agent: MCP of both eras, answered by a Desk of the gateway, and the tideline/* methods of our
// own commands, answered by Control. The same for agent.sock and for standard input and output.
//
// Owned by the connection it serves, which moves the bytes. Thread: loop. Bounds: one line of limits::mcp_line_bytes; a program that does not
// read its answers is not read either, and one that leaves limits::mcp_unread_bytes unread is let go. Not destroyed inside its Wire.
// Answers to lines that came together go out together: one write for all, or one for each 64 KiB.
#pragma once

#include <memory>
#include <string>

#include "agent/control.hpp"
#include "agent/gateway/gateway.hpp"
#include "base/bytes.hpp"
#include "mcp/line_buffer.hpp"

namespace tideline::agent {

class LocalSession final : private mcp::Output, private Control::Caller {
 public:
  class Wire {
   public:
    virtual ~Wire() = default;
    /// `bytes` are valid during the call.
    virtual void send(Bytes bytes) = 0;
    virtual size_t queued_bytes() const = 0;
    /// Too much is unread: end the connection soon, outside of this call. Nothing is sent any more.
    virtual void on_overrun() = 0;
  };

  LocalSession(Gateway& gateway, Control& control, Wire& wire) : gateway_(gateway), control_(control), wire_(wire) {}
  ~LocalSession() override { control_.forget(*this); }
  LocalSession(const LocalSession&) = delete;
  LocalSession& operator=(const LocalSession&) = delete;

  /// False: read no more until the queue is drained, then call go_on().
  bool on_bytes(Bytes bytes);
  bool go_on();
  /// The program sends no more: its work is cancelled, its listens end. What is queued may still be read.
  void on_end();

 private:
  bool may_take() const;
  void take(const mcp::LineBuffer::Line& line);
  Desk& desk();
  void send(std::string_view line);
  void flush();
  void on_outgoing(mcp::Outgoing outgoing) override;
  void on_reply(std::string line) override { send(line); }

  Gateway& gateway_;
  Control& control_;
  Wire& wire_;
  mcp::LineBuffer lines_;
  std::unique_ptr<Desk> desk_;  // made for the first line that is MCP: our own commands need none
  std::string unsent_;          // answers of the lines being taken
  bool is_taking_ = false;
  bool is_over_ = false;
};

}  // namespace tideline::agent

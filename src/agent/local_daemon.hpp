// A command's way to the daemon's Unix sockets.
#pragma once

#include <memory>
#include <string>

#include "wrap/uv/loop.hpp"
#include "wrap/uv/stream.hpp"

namespace tideline::agent {

/// A connected stream to the socket at `path`, or null when nobody listens there. Waits for the connection, which on a Unix
/// socket is decided at once. `listener` gets the events that come afterwards.
std::unique_ptr<uv::Stream> connect_daemon(uv::Loop& loop, uv::Stream::Listener& listener, const std::string& path);
/// Whether somebody listens there.
bool daemon_answers(uv::Loop& loop, const std::string& path);

}  // namespace tideline::agent

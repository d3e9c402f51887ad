// How the process deals with memory it no longer needs, and with memory it cannot get. Called once, first thing in main().
#pragma once

namespace tideline::platform {

/// Buffers of 128 KiB and more are mapped by themselves and go back to the system when freed. That is how the C library begins, but it
/// raises the limit with use, and one long message in the right place is then kept for good (12 MiB after a few 5 MiB lines).
void return_large_buffers();

/// A process that is refused memory says so on stderr and ends (SIGABRT): every state on disk is one it may crash in.
void end_when_memory_is_refused();

}  // namespace tideline::platform

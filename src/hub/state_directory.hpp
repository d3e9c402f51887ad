// The files in the hub's state directory, and the keys among them.
//
//   hub.db hub.db.lock      the archive; the lock is held by the one process that may write
//   ca.crt ca.key           the authority of devices and of this server (key 0600)
//   server.crt server.key   what TLS clients see; the file holds the chain, the authority last (key 0600)
//   tickets.key             protects session tickets, kept so that a restart is no storm of full handshakes (0600)
//   admin.sock              commands for a hub that runs
//
// Plain values and blocking functions: at init, at start, and once a day. After a crash each file is old or new, never a part;
// the authority is written last by init, so a state directory with ca.crt is complete.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "wrap/tls/certificates.hpp"
#include "wrap/tls/ticket_keys.hpp"

namespace tideline::hub {

struct StateDirectory {
  std::string path;
  std::string file(const char* name) const { return path + "/" + name; }
  std::string archive() const { return file("hub.db"); }
  std::string admin_socket() const { return file("admin.sock"); }
  std::string authority_certificate() const { return file("ca.crt"); }
  std::string authority_key() const { return file("ca.key"); }
  std::string server_certificate() const { return file("server.crt"); }
  std::string server_key() const { return file("server.key"); }
  std::string ticket_keys() const { return file("tickets.key"); }
  /// init has finished here.
  bool is_initialised() const;
};

struct HubKeys {
  tls::Identity authority;
  tls::CertificateInfo authority_info;
  tls::Identity server;              ///< with the chain
  tls::CertificateInfo server_info;
};

/// Makes authority and server certificate. Errors: exists (initialised already), invalid (a name), denied, full, io.
Result<HubKeys> make_keys(const StateDirectory& state, const std::vector<std::string>& names, Duration authority_life,
                          Duration server_life, UtcNanos now);
/// A server key that does not fit makes its certificate overdue: renew_server_certificate() heals it. Errors: not_found, denied,
/// corrupt (cannot be parsed, or the authority's key does not fit).
Result<HubKeys> load_keys(const StateDirectory& state);

/// Issues a new server certificate when two thirds of the life of the present one have passed or `names` differ from its own
/// (empty: keep them). True when `keys` changed.
Result<bool> renew_server_certificate(const StateDirectory& state, const std::vector<std::string>& names, Duration life, UtcNanos now,
                                      HubKeys& keys);

/// Saved ones, or new ones when there are none or they are damaged: then devices need one full handshake each.
tls::TicketKeys load_ticket_keys(const StateDirectory& state, UtcNanos now);
Status save_ticket_keys(const StateDirectory& state, const tls::TicketKeys& keys);

}  // namespace tideline::hub

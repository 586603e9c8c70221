// SPDX-License-Identifier: Apache-2.0
// The socket protocol of i-PI: a calculator that is served to a program which moves atoms.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "stembridge/structure/calculator.hpp"

namespace stembridge::io {

/// Where an i-PI server listens.
struct SocketAddress {
    std::filesystem::path file;  ///< of a unix socket; empty for a host
    std::string host;
    int port = 0;

    /// @param text "unix:NAME" for the unix socket /tmp/ipi_NAME (a NAME with a slash is the path itself),
    /// "HOST:PORT" or "[IPV6]:PORT" for the internet  @throw InputError naming these forms
    static SocketAddress parse(const std::string& text);
    /// For messages, e.g. "unix socket /tmp/ipi_water" or "localhost:31415".
    std::string text() const;
};

/// Connects to an i-PI server and answers it until it says EXIT or closes the connection: positions and cell
/// in; energy (whose gradient is minus the forces), forces and virial out, in Hartree atomic units. The
/// virial is -stress times volume, and zero where the calculator offers no stress.
/// @param structure gives the elements and which directions repeat; the server gives positions and the cell
/// of what repeats  @param seconds_to_wait for a server that is not there yet
/// @return number of evaluations
/// @throw BackendError when no server is there, it breaks off in the middle of a message, or breaks the
/// protocol  @throw InputError when the server's number of atoms is another  @throw StoppedError on request
/// of the context  @throw what the calculator throws; the server then sees a closed connection
/// @source Kapil et al., Comput. Phys. Commun. 236, 214 (2019), doi:10.1016/j.cpc.2018.09.020
int serve(Calculator& calculator, Structure structure, const SocketAddress& address, const Context& context,
          double seconds_to_wait = 0);

/// The other side: energies and forces from any program that is a client of i-PI (`stembridge serve`, DFTB+,
/// CP2K, ...). The server listens from the start and waits for its one client at the first evaluation; at
/// the end it says EXIT. The energy that the client sends is taken as that of the forces.
class SocketServer final : public Calculator {
  public:
    /// @param seconds_to_wait for the client  @throw BackendError when it cannot listen there
    explicit SocketServer(const SocketAddress& address, double seconds_to_wait = 600);
    ~SocketServer() override;

    /// @throw BackendError when no client comes in time, it closes the connection, or breaks the protocol
    /// @throw StoppedError on request while it waits for the client to come; a computation is waited for
    void evaluate(const Structure& structure, Wanted wanted, Evaluation& out,
                  const Context& context) override;
    Wanted offers(const Structure& structure) const override;
    std::string description() const override;

  private:
    class Server;
    std::unique_ptr<Server> server_;
};

}  // namespace stembridge::io

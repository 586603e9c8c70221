// SPDX-License-Identifier: Apache-2.0
// The server's side of the i-PI protocol, written from its description and with nothing of the project's own.
#pragma once

#include <Eigen/Dense>
#include <string>

namespace stembridge::testing {

/// A server for one client. Calls that find the connection closed, or wait for a minute, throw
/// std::runtime_error.
class IpiServer {
  public:
    /// Listens on a unix socket of its own in /tmp, or on a free port of localhost.
    enum class Kind { unix_socket, internet };
    explicit IpiServer(Kind kind = Kind::unix_socket);
    ~IpiServer();
    IpiServer(const IpiServer&) = delete;
    IpiServer& operator=(const IpiServer&) = delete;

    /// For --address.
    const std::string& address() const { return address_; }
    /// Waits for the client.
    void accept();

    void send(const std::string& header) { send_bytes(padded(header)); }
    std::string receive_header();
    /// What the client answers to STATUS.
    std::string status();
    void initialise(int replica);
    /// @param positions (3, n), bohr  @param cell columns are lattice vectors, bohr
    void send_positions(const Eigen::Matrix3Xd& positions, const Eigen::Matrix3d& cell);

    struct Answer {
        double energy = 0;
        Eigen::Matrix3Xd forces;
        Eigen::Matrix3d virial;
        std::string extra;
    };
    Answer receive_forces();
    /// The whole exchange of one geometry.
    Answer evaluate(const Eigen::Matrix3Xd& positions, const Eigen::Matrix3d& cell);

    void send_bytes(const std::string& bytes);
    static std::string padded(const std::string& header);
    /// Closes the connection.
    void hang_up();

  private:
    void receive_bytes(void* data, std::size_t size);
    std::string address_;
    int listener_ = -1;
    int client_ = -1;
};

}  // namespace stembridge::testing

// SPDX-License-Identifier: Apache-2.0
// One connection that speaks i-PI: headers of twelve characters, then numbers as they lie in memory.
#pragma once

#include <Eigen/Dense>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "stembridge/io/ipi.hpp"

namespace stembridge::io::ipi {

inline constexpr std::size_t header_length = 12;

/// A message that is put together and sent in one piece.
class Message {
  public:
    explicit Message(std::string_view header);
    Message& add(std::int32_t value) { return add_bytes(&value, sizeof value); }
    Message& add(double value) { return add_bytes(&value, sizeof value); }
    Message& add_blank() { return add_bytes(" ", 1); }
    /// One atom after the other. @param columns (3, n)
    Message& add(const Eigen::Matrix3Xd& columns) {
        return add_bytes(columns.data(), sizeof(double) * static_cast<std::size_t>(columns.size()));
    }
    /// Row after row, as i-PI sends matrices.
    Message& add_matrix(const Eigen::Matrix3d& matrix) { return add(Eigen::Matrix3Xd(matrix.transpose())); }
    const std::string& bytes() const { return bytes_; }

  private:
    Message& add_bytes(const void* data, std::size_t size);
    std::string bytes_;
};

/// An open file descriptor.
class Descriptor {
  public:
    explicit Descriptor(int number = -1) : number_(number) {}
    ~Descriptor();
    Descriptor(Descriptor&& other) noexcept : number_(other.number_) { other.number_ = -1; }
    Descriptor& operator=(Descriptor&& other) noexcept;
    int number() const { return number_; }

  private:
    int number_;
};

/// Every call that waits throws StoppedError when the stop token is set.
class Connection {
  public:
    /// @param peer what is on the other side, for messages: "the i-PI server at localhost:31415"
    Connection(Descriptor socket, std::string peer, std::stop_token stop);

    /// @throw BackendError when the other side is gone
    void send(const Message& message);
    /// The next header without its blanks; nothing when the other side has closed the connection before it.
    /// @throw BackendError when it breaks off inside of the header
    std::optional<std::string> receive_header();
    /// @param what is received, for messages  @throw BackendError when the connection breaks off before
    std::int32_t receive_integer(std::string_view what);
    double receive_number(std::string_view what);
    std::string receive_text(std::int32_t length, std::string_view what);
    Eigen::Matrix3Xd receive_columns(std::int32_t n, std::string_view what);
    Eigen::Matrix3d receive_matrix(std::string_view what);
    const std::string& peer() const { return peer_; }

  private:
    /// @return bytes received: all of them, or fewer when the other side closes the connection
    std::size_t receive_up_to(void* data, std::size_t size);
    void receive(void* data, std::size_t size, std::string_view what);

    Descriptor socket_;
    std::string peer_;
    std::stop_token stop_;
};

/// @param seconds_to_wait for a server that is not there yet  @throw BackendError when there is none
Connection connect_to(const SocketAddress& address, double seconds_to_wait, const std::stop_token& stop);

/// A socket that listens for one client.
class Listener {
  public:
    /// @throw BackendError when the address is in use or not one of this machine
    explicit Listener(const SocketAddress& address);
    ~Listener();
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;
    /// @throw BackendError when no client comes in time
    Connection accept(double seconds_to_wait, const std::stop_token& stop);

  private:
    SocketAddress address_;
    Descriptor socket_;
};

}  // namespace stembridge::io::ipi

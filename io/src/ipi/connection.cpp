// SPDX-License-Identifier: Apache-2.0
#include "ipi/connection.hpp"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <thread>

#include "stembridge/base/errors.hpp"
#include "stembridge/base/timer.hpp"

namespace stembridge::io::ipi {
namespace {

/// How long a wait lasts before the stop token is looked at again.
constexpr int look_up_ms = 100;

/// Waits until the socket can be read (POLLIN) or written (POLLOUT), or is closed.
void wait_for(int socket, short event, const std::stop_token& stop) {
    pollfd entry = {socket, event, 0};
    while (::poll(&entry, 1, look_up_ms) <= 0)
        if (stop.stop_requested()) throw StoppedError("stopped on request while waiting at a socket");
}

sockaddr_un unix_name(const std::filesystem::path& file) {
    sockaddr_un name = {};
    name.sun_family = AF_UNIX;
    std::strncpy(name.sun_path, file.c_str(), sizeof name.sun_path - 1);
    return name;
}

/// @param use connects or binds a socket to a name  @return the first socket with which this goes; none, with
/// errno set, when it goes with none
template <class Use>
Descriptor socket_at(const SocketAddress& address, const Use& use) {
    if (address.host.empty()) {
        const sockaddr_un name = unix_name(address.file);
        Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const bool fine = use(socket.number(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0;
        return fine ? std::move(socket) : Descriptor();
    }
    addrinfo hints = {};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* first = nullptr;
    const int error =
        ::getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &first);
    if (error != 0)
        throw BackendError(
            fmt::format("host '{}' of the i-PI server: {}", address.host, ::gai_strerror(error)));
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> all(first, &::freeaddrinfo);
    for (const addrinfo* entry = first; entry != nullptr; entry = entry->ai_next) {
        Descriptor socket(::socket(entry->ai_family, entry->ai_socktype | SOCK_CLOEXEC, entry->ai_protocol));
        const int on = 1;  // a port can be used again at once after its last server
        ::setsockopt(socket.number(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        if (use(socket.number(), entry->ai_addr, entry->ai_addrlen) == 0) return socket;
    }
    return Descriptor();
}

/// Short messages go out at once; of no meaning for unix sockets.
void send_without_delay(const Descriptor& socket) {
    const int on = 1;
    ::setsockopt(socket.number(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace

// --- messages

Message::Message(std::string_view header) : bytes_(header) {
    bytes_.resize(header_length, ' ');
}

Message& Message::add_bytes(const void* data, std::size_t size) {
    bytes_.append(static_cast<const char*>(data), size);
    return *this;
}

// --- the connection

Descriptor::~Descriptor() {
    if (number_ >= 0) ::close(number_);
}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
}

Connection::Connection(Descriptor socket, std::string peer, std::stop_token stop)
    : socket_(std::move(socket)), peer_(std::move(peer)), stop_(std::move(stop)) {}

void Connection::send(const Message& message) {
    const std::string& bytes = message.bytes();
    for (std::size_t sent = 0; sent < bytes.size();) {
        wait_for(socket_.number(), POLLOUT, stop_);
        const ssize_t n =
            ::send(socket_.number(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n >= 0)
            sent += static_cast<std::size_t>(n);
        else if (errno == EPIPE || errno == ECONNRESET)
            throw BackendError(fmt::format("{} closed the connection before it took the message {}", peer_,
                                           bytes.substr(0, bytes.find(' '))));
        else if (errno != EINTR && errno != EAGAIN)
            throw BackendError(fmt::format("{} does not take the message {}: {}", peer_,
                                           bytes.substr(0, bytes.find(' ')), std::strerror(errno)));
    }
}

std::size_t Connection::receive_up_to(void* data, std::size_t size) {
    std::size_t got = 0;
    while (got < size) {
        wait_for(socket_.number(), POLLIN, stop_);
        const ssize_t n = ::recv(socket_.number(), static_cast<char*>(data) + got, size - got, MSG_DONTWAIT);
        if (n > 0)
            got += static_cast<std::size_t>(n);
        else if (n == 0 || (errno != EINTR && errno != EAGAIN))
            break;
    }
    return got;
}

void Connection::receive(void* data, std::size_t size, std::string_view what) {
    const std::size_t got = receive_up_to(data, size);
    if (got < size)
        throw BackendError(fmt::format("{} broke off in the middle of a message: {} of the {} bytes of {}",
                                       peer_, got, size, what));
}

std::optional<std::string> Connection::receive_header() {
    std::string header(header_length, ' ');
    const std::size_t got = receive_up_to(header.data(), header_length);
    if (got == 0) return std::nullopt;
    if (got < header_length)
        throw BackendError(
            fmt::format("{} broke off in the middle of a message: {} of the {} bytes of a header", peer_, got,
                        header_length));
    return header.substr(0, header.find_last_not_of(' ') + 1);
}

std::int32_t Connection::receive_integer(std::string_view what) {
    std::int32_t value = 0;
    receive(&value, sizeof value, what);
    return value;
}

double Connection::receive_number(std::string_view what) {
    double value = 0;
    receive(&value, sizeof value, what);
    return value;
}

std::string Connection::receive_text(std::int32_t length, std::string_view what) {
    constexpr std::int32_t longest = 1 << 26;
    if (length < 0 || length > longest)
        throw BackendError(
            fmt::format("{} announced {} bytes of {}; up to {} are accepted", peer_, length, what, longest));
    std::string text(static_cast<std::size_t>(length), '\0');
    receive(text.data(), text.size(), what);
    return text;
}

Eigen::Matrix3Xd Connection::receive_columns(std::int32_t n, std::string_view what) {
    Eigen::Matrix3Xd columns(3, n);
    receive(columns.data(), sizeof(double) * static_cast<std::size_t>(columns.size()), what);
    return columns;
}

Eigen::Matrix3d Connection::receive_matrix(std::string_view what) {
    return receive_columns(3, what).transpose();
}

Connection connect_to(const SocketAddress& address, double seconds_to_wait, const std::stop_token& stop) {
    const Timer timer;
    for (;;) {
        Descriptor socket = socket_at(address, ::connect);
        if (socket.number() >= 0) {
            send_without_delay(socket);
            return {std::move(socket), "the i-PI server at " + address.text(), stop};
        }
        const int error = errno;
        if (timer.seconds() >= seconds_to_wait)
            throw BackendError(
                fmt::format("no i-PI server at {}: {}; start the server first, or wait for it "
                            "with --wait \"30 s\"",
                            address.text(), std::strerror(error)));
        if (stop.stop_requested()) throw StoppedError("stopped on request while waiting for the i-PI server");
        std::this_thread::sleep_for(std::chrono::milliseconds(look_up_ms));
    }
}

// --- the listener

Listener::Listener(const SocketAddress& address) : address_(address) {
    // The file of a server that ended without removing it is in the way of the next one.
    if (!address.file.empty() && socket_at(address, ::connect).number() < 0 && errno == ECONNREFUSED)
        ::unlink(address.file.c_str());
    socket_ = socket_at(address, ::bind);
    if (socket_.number() < 0 || ::listen(socket_.number(), 1) != 0)
        throw BackendError(fmt::format("cannot listen at {}: {}", address.text(), std::strerror(errno)));
}

Listener::~Listener() {
    if (!address_.file.empty()) ::unlink(address_.file.c_str());
}

Connection Listener::accept(double seconds_to_wait, const std::stop_token& stop) {
    const Timer timer;
    for (;;) {
        pollfd entry = {socket_.number(), POLLIN, 0};
        if (::poll(&entry, 1, look_up_ms) > 0) {
            Descriptor client(::accept4(socket_.number(), nullptr, nullptr, SOCK_CLOEXEC));
            char byte = 0;
            const bool is_gone = ::recv(client.number(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
            if (client.number() >= 0 && !is_gone) {
                send_without_delay(client);
                return {std::move(client), "the i-PI client at " + address_.text(), {}};
            }
        }
        if (stop.stop_requested()) throw StoppedError("stopped on request while waiting for an i-PI client");
        if (timer.seconds() > seconds_to_wait)
            throw BackendError(
                fmt::format("no i-PI client came to {} within {:.3g} s; start it, or wait longer",
                            address_.text(), seconds_to_wait));
    }
}

}  // namespace stembridge::io::ipi

// SPDX-License-Identifier: Apache-2.0
#include "support/ipi_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstring>
#include <stdexcept>

namespace stembridge::testing {
namespace {

constexpr const char* prefix = "/tmp/ipi_";

void require(bool fine, const std::string& what) {
    if (!fine) throw std::runtime_error("test server: " + what);
}

void set_time_limit(int socket) {
    const timeval minute = {60, 0};
    ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &minute, sizeof minute);
}

/// Row after row of a matrix.
std::string bytes_of(const Eigen::Matrix3d& matrix) {
    const Eigen::Matrix3d rows = matrix.transpose();
    return {reinterpret_cast<const char*>(rows.data()), sizeof(double) * 9};
}

std::string bytes_of(std::int32_t value) {
    return {reinterpret_cast<const char*>(&value), sizeof value};
}

}  // namespace

IpiServer::IpiServer(Kind kind) {
    if (kind == Kind::unix_socket) {
        static std::atomic<int> count = 0;
        const std::string name =
            "stembridge-test-" + std::to_string(::getpid()) + "-" + std::to_string(count++);
        address_ = "unix:" + name;
        sockaddr_un place = {};
        place.sun_family = AF_UNIX;
        std::strncpy(place.sun_path, (prefix + name).c_str(), sizeof place.sun_path - 1);
        ::unlink(place.sun_path);
        listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        require(::bind(listener_, reinterpret_cast<sockaddr*>(&place), sizeof place) == 0, "bind");
    } else {
        sockaddr_in place = {};
        place.sin_family = AF_INET;
        place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        socklen_t size = sizeof place;
        require(::bind(listener_, reinterpret_cast<sockaddr*>(&place), size) == 0, "bind");
        require(::getsockname(listener_, reinterpret_cast<sockaddr*>(&place), &size) == 0, "getsockname");
        address_ = "localhost:" + std::to_string(ntohs(place.sin_port));
    }
    set_time_limit(listener_);
    require(::listen(listener_, 1) == 0, "listen");
}

IpiServer::~IpiServer() {
    hang_up();
    ::close(listener_);
    if (address_.starts_with("unix:")) ::unlink((prefix + address_.substr(5)).c_str());
}

void IpiServer::accept() {
    client_ = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    require(client_ >= 0, "no client came");
    set_time_limit(client_);
}

void IpiServer::hang_up() {
    if (client_ >= 0) ::close(client_);
    client_ = -1;
}

std::string IpiServer::padded(const std::string& header) {
    std::string text = header;
    text.resize(12, ' ');
    return text;
}

void IpiServer::send_bytes(const std::string& bytes) {
    std::size_t sent = 0;
    while (sent < bytes.size()) {
        const ssize_t n = ::send(client_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
        require(n > 0, "the client is gone");
        sent += static_cast<std::size_t>(n);
    }
}

void IpiServer::receive_bytes(void* data, std::size_t size) {
    std::size_t got = 0;
    while (got < size) {
        const ssize_t n = ::recv(client_, static_cast<char*>(data) + got, size - got, 0);
        require(n > 0, "the client closed the connection");
        got += static_cast<std::size_t>(n);
    }
}

std::string IpiServer::receive_header() {
    std::string header(12, ' ');
    receive_bytes(header.data(), header.size());
    return header.substr(0, header.find_last_not_of(' ') + 1);
}

std::string IpiServer::status() {
    send("STATUS");
    return receive_header();
}

void IpiServer::initialise(int replica) {
    send_bytes(padded("INIT") + bytes_of(replica) + bytes_of(7) + "nothing");
}

void IpiServer::send_positions(const Eigen::Matrix3Xd& positions, const Eigen::Matrix3d& cell) {
    const Eigen::Matrix3d inverse = cell.isZero() ? cell : Eigen::Matrix3d(cell.inverse());
    send_bytes(padded("POSDATA") + bytes_of(cell) + bytes_of(inverse) +
               bytes_of(static_cast<std::int32_t>(positions.cols())) +
               std::string(reinterpret_cast<const char*>(positions.data()),
                           sizeof(double) * static_cast<std::size_t>(positions.size())));
}

IpiServer::Answer IpiServer::receive_forces() {
    send("GETFORCE");
    require(receive_header() == "FORCEREADY", "expected FORCEREADY");
    Answer answer;
    std::int32_t n = 0;
    receive_bytes(&answer.energy, sizeof answer.energy);
    receive_bytes(&n, sizeof n);
    answer.forces.resize(3, n);
    receive_bytes(answer.forces.data(), sizeof(double) * static_cast<std::size_t>(answer.forces.size()));
    receive_bytes(answer.virial.data(), sizeof(double) * 9);
    answer.virial.transposeInPlace();
    receive_bytes(&n, sizeof n);
    answer.extra.resize(static_cast<std::size_t>(n));
    receive_bytes(answer.extra.data(), answer.extra.size());
    return answer;
}

IpiServer::Answer IpiServer::evaluate(const Eigen::Matrix3Xd& positions, const Eigen::Matrix3d& cell) {
    if (status() == "NEEDINIT") initialise(0);
    require(status() == "READY", "expected READY");
    send_positions(positions, cell);
    require(status() == "HAVEDATA", "expected HAVEDATA");
    return receive_forces();
}

}  // namespace stembridge::testing

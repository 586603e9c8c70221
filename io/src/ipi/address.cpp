// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <sys/un.h>

#include <charconv>

#include "stembridge/base/errors.hpp"
#include "stembridge/io/ipi.hpp"

namespace stembridge::io {
namespace {

/// Of a path in a sockaddr_un, without the zero at its end.
constexpr std::size_t longest_path = sizeof(sockaddr_un::sun_path) - 1;

SocketAddress unix_address(const std::string& name) {
    const bool is_path = name.find('/') != std::string::npos;
    SocketAddress address;
    address.file = is_path ? name : "/tmp/ipi_" + name;
    if (address.file.native().size() > longest_path)
        throw InputError(fmt::format("unix socket {} has a path of {} characters; up to {} are accepted",
                                     address.file.string(), address.file.native().size(), longest_path));
    return address;
}

/// @return 0 unless the text is a port
int port_from(const std::string& text) {
    int port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    return error == std::errc() && end == text.data() + text.size() && port > 0 && port < 65536 ? port : 0;
}

}  // namespace

SocketAddress SocketAddress::parse(const std::string& text) {
    constexpr std::string_view unix_mark = "unix:";
    if (text.starts_with(unix_mark) && text.size() > unix_mark.size())
        return unix_address(text.substr(unix_mark.size()));
    const auto colon = text.rfind(':');
    SocketAddress address;
    if (colon != std::string::npos) {
        address.host = text.substr(0, colon);
        address.port = port_from(text.substr(colon + 1));
    }
    if (address.host.size() > 2 && address.host.front() == '[' && address.host.back() == ']')
        address.host = address.host.substr(1, address.host.size() - 2);
    if (address.host.empty() || address.port == 0)
        throw InputError(
            fmt::format("address '{}' is neither unix:NAME (the socket /tmp/ipi_NAME) nor HOST:PORT "
                        "with a port from 1 to 65535, e.g. localhost:31415",
                        text));
    return address;
}

std::string SocketAddress::text() const {
    return host.empty() ? "unix socket " + file.string() : fmt::format("{}:{}", host, port);
}

}  // namespace stembridge::io

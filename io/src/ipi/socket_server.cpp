// SPDX-License-Identifier: Apache-2.0
// The server's side of i-PI.
#include <fmt/format.h>

#include <cmath>
#include <optional>

#include "ipi/connection.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/io/ipi.hpp"

namespace stembridge::io {

using ipi::Message;

class SocketServer::Server {
  public:
    Server(const SocketAddress& address, double seconds_to_wait)
        : address_(address), seconds_to_wait_(seconds_to_wait), listener_(address) {}

    ~Server() {
        try {
            if (client_) client_->send(Message("EXIT"));
        } catch (const Error&) {
            // A client that is gone needs no word of goodbye.
        }
    }

    void evaluate(const Structure& structure, Evaluation& out, const Context& context) {
        if (!client_) {
            context.info("waiting for an i-PI client at " + address_.text());
            client_.emplace(listener_.accept(seconds_to_wait_, context.stop));
        }
        try {
            send_positions(structure);
            receive_forces(structure, out);
        } catch (const Error&) {
            client_.reset();  // nothing can be said of what comes next
            throw;
        }
    }

    std::string description() const { return "i-PI client at " + address_.text(); }

  private:
    std::string header() {
        if (const auto header = client_->receive_header()) return *header;
        throw BackendError(client_->peer() + " closed the connection; its own messages say why");
    }

    void expect(const std::string& answer, const char* expected) const {
        if (answer != expected)
            throw BackendError(fmt::format("{} sent '{}', expected {}", client_->peer(), answer, expected));
    }

    std::string status() {
        client_->send(Message("STATUS"));
        return header();
    }

    void send_positions(const Structure& structure) {
        std::string state = status();
        if (state == "NEEDINIT") {
            constexpr std::int32_t replica = 0, length = 1;  // some clients cannot take an empty text
            client_->send(Message("INIT").add(replica).add(length).add_blank());
            state = status();
        }
        expect(state, "READY");
        const Eigen::Matrix3d& cell = structure.cell.vectors;
        const bool has_volume = structure.cell.volume() > 0;
        client_->send(Message("POSDATA")
                          .add_matrix(cell)
                          .add_matrix(has_volume ? Eigen::Matrix3d(cell.inverse()) : Eigen::Matrix3d::Zero())
                          .add(std::int32_t{structure.size()})
                          .add(structure.positions));
    }

    void receive_forces(const Structure& structure, Evaluation& out) {
        expect(status(), "HAVEDATA");
        client_->send(Message("GETFORCE"));
        expect(header(), "FORCEREADY");
        out = {};
        out.energy = out.energy_zero = client_->receive_number("the energy");
        const std::int32_t n = client_->receive_integer("the number of atoms");
        if (n != structure.size())
            throw BackendError(fmt::format("{} sent forces of {} atoms, the structure has {}",
                                           client_->peer(), n, structure.size()));
        out.forces = client_->receive_columns(n, "the forces");
        const Eigen::Matrix3d virial = client_->receive_matrix("the virial");
        client_->receive_text(client_->receive_integer("the length of the extra text"), "the extra text");
        if (!std::isfinite(out.energy) || !out.forces.allFinite() || !virial.allFinite())
            throw NumericalError(client_->peer() + " sent numbers that are not finite");
        if (structure.cell.is_periodic()) out.stress = -virial / structure.cell.volume();
        out.solver = "i-PI client";
    }

    SocketAddress address_;
    double seconds_to_wait_;
    ipi::Listener listener_;
    std::optional<ipi::Connection> client_;
};

SocketServer::SocketServer(const SocketAddress& address, double seconds_to_wait)
    : server_(std::make_unique<Server>(address, seconds_to_wait)) {}

SocketServer::~SocketServer() = default;

void SocketServer::evaluate(const Structure& structure, Wanted, Evaluation& out, const Context& context) {
    server_->evaluate(structure, out, context);
}

Wanted SocketServer::offers(const Structure& structure) const {
    return {.forces = true, .stress = structure.cell.is_periodic()};
}

std::string SocketServer::description() const {
    return server_->description();
}

}  // namespace stembridge::io

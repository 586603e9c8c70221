// SPDX-License-Identifier: Apache-2.0
// The client's side of i-PI.
#include <fmt/format.h>

#include <utility>

#include "ipi/connection.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/io/ipi.hpp"

namespace stembridge::io {
namespace {

using ipi::Connection;
using ipi::Message;

class Client {
  public:
    Client(Calculator& calculator, Structure structure, Connection connection, const Context& context)
        : calculator_(calculator),
          structure_(std::move(structure)),
          connection_(std::move(connection)),
          context_(context),
          wanted_{.forces = true, .stress = calculator.offers(structure_).stress} {}

    int run() {
        while (const auto header = connection_.receive_header()) {
            if (*header == "EXIT") return evaluations_;
            answer(*header);
        }
        context_.warning(connection_.peer() + " closed the connection without EXIT");
        return evaluations_;
    }

  private:
    void answer(const std::string& header) {
        if (header == "STATUS")
            connection_.send(Message(has_result_ ? "HAVEDATA" : is_initialised_ ? "READY" : "NEEDINIT"));
        else if (header == "INIT")
            receive_init();
        else if (header == "POSDATA")
            receive_positions();
        else if (header == "GETFORCE")
            send_forces();
        else
            throw BackendError(fmt::format("{} sent '{}'; known are STATUS, INIT, POSDATA, GETFORCE and EXIT",
                                           connection_.peer(), header));
    }

    void receive_init() {
        const std::int32_t replica = connection_.receive_integer("the replica's index");
        const std::int32_t length = connection_.receive_integer("the length of the initialisation");
        connection_.receive_text(length, "the initialisation");
        context_.debug(fmt::format("i-PI: replica {}", replica));
        is_initialised_ = true;
    }

    void receive_positions() {
        const Eigen::Matrix3d cell = connection_.receive_matrix("the cell");
        connection_.receive_matrix("the inverse cell");
        const std::int32_t n = connection_.receive_integer("the number of atoms");
        if (n != structure_.size())
            throw InputError(
                fmt::format("{} sent {} atoms, but the structure that is served has {} ({}); give both the "
                            "same atoms in the same order",
                            connection_.peer(), n, structure_.size(), structure_.formula()));
        structure_.positions = connection_.receive_columns(n, "the positions");
        set_cell(cell);
        structure_.validate();
        calculator_.evaluate(structure_, wanted_, result_, context_);
        context_.progress("i-PI evaluations", ++evaluations_, 0);
        is_initialised_ = has_result_ = true;
    }

    /// A direction that does not repeat may come without a vector.
    void set_cell(const Eigen::Matrix3d& cell) {
        if (!structure_.cell.is_periodic()) return;
        for (int i = 0; i < 3; ++i)
            if (structure_.cell.periodic[static_cast<std::size_t>(i)] || !cell.col(i).isZero())
                structure_.cell.vectors.col(i) = cell.col(i);
        if (!cell.allFinite() || !(structure_.cell.volume() > 0))
            throw InputError(connection_.peer() + " sent a cell without volume for a periodic structure");
    }

    void send_forces() {
        if (!has_result_)
            throw BackendError(connection_.peer() + " asked for forces before it sent positions");
        const Eigen::Matrix3d virial = result_.stress
                                           ? Eigen::Matrix3d(-structure_.cell.volume() * *result_.stress)
                                           : Eigen::Matrix3d::Zero();
        constexpr std::int32_t length_of_extra_text = 0;  // ASE cannot take any
        connection_.send(Message("FORCEREADY")
                             .add(result_.energy)
                             .add(std::int32_t{structure_.size()})
                             .add(result_.forces)
                             .add_matrix(virial)
                             .add(length_of_extra_text));
        has_result_ = false;
    }

    Calculator& calculator_;
    Structure structure_;
    Connection connection_;
    const Context& context_;
    Wanted wanted_;
    Evaluation result_;
    int evaluations_ = 0;
    bool is_initialised_ = false;
    bool has_result_ = false;
};

}  // namespace

int serve(Calculator& calculator, Structure structure, const SocketAddress& address, const Context& context,
          double seconds_to_wait) {
    Connection connection = ipi::connect_to(address, seconds_to_wait, context.stop);
    context.info("connected to " + connection.peer());
    return Client(calculator, std::move(structure), std::move(connection), context).run();
}

}  // namespace stembridge::io

// SPDX-License-Identifier: Apache-2.0
// The i-PI client beside a server that speaks the protocol from its description.
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <future>

#include "stembridge/base/errors.hpp"
#include "stembridge/io/ipi.hpp"
#include "support/ipi_server.hpp"
#include "support/spring_calculator.hpp"
#include "support/support.hpp"

using namespace stembridge;
using namespace stembridge::testing;
using io::SocketAddress;

namespace {

Structure sheet() {
    return graphene_sheet(2, 2, false);
}

/// serve() in a thread of its own.
struct Served {
    explicit Served(const IpiServer& server, std::unique_ptr<Calculator> own = nullptr)
        : calculator(own ? std::move(own) : std::make_unique<SpringCalculator>(sheet())) {
        Context context;
        context.stop = stop.get_token();
        context.log_sink = [this](Context::Level level, std::string_view text) {
            if (level == Context::Level::warning) warnings += text;
        };
        evaluations = std::async(std::launch::async, [this, context, address = server.address()] {
            return io::serve(*calculator, sheet(), SocketAddress::parse(address), context);
        });
    }
    std::unique_ptr<Calculator> calculator;
    std::stop_source stop;
    std::string warnings;
    std::future<int> evaluations;
};

/// Never self-consistent.
class Unconverged : public Calculator {
  public:
    void evaluate(const Structure&, Wanted, Evaluation&, const Context&) override {
        throw ConvergenceError("SCC", 3, 1, 1e-6, "for the test");
    }
    Wanted offers(const Structure&) const override { return {}; }
    std::string description() const override { return "never converged"; }
};

/// Pressure p times the volume of the cell.
class Pressure : public Calculator {
  public:
    explicit Pressure(double pressure) : pressure_(pressure) {}
    void evaluate(const Structure& structure, Wanted, Evaluation& out, const Context&) override {
        out.energy = pressure_ * structure.cell.volume();
        out.forces = Eigen::Matrix3Xd::Zero(3, structure.size());
        out.stress = pressure_ * Eigen::Matrix3d::Identity();
    }
    Wanted offers(const Structure&) const override { return {.forces = true, .stress = true}; }
    std::string description() const override { return "pressure"; }

  private:
    double pressure_;
};

/// A port of localhost that nobody listens at.
std::string free_address() {
    return IpiServer(IpiServer::Kind::internet).address();
}

bool mentions(const std::exception& error, const std::string& words) {
    const bool found = std::string(error.what()).find(words) != std::string::npos;
    if (!found) BOOST_TEST_MESSAGE(error.what());
    return found;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_ipi)

BOOST_AUTO_TEST_CASE(addresses_are_unix_sockets_or_hosts_with_a_port) {
    BOOST_TEST(SocketAddress::parse("unix:water").file == "/tmp/ipi_water");
    BOOST_TEST(SocketAddress::parse("unix:/run/x/water").file == "/run/x/water");
    const SocketAddress host = SocketAddress::parse("node7.cluster:31415");
    BOOST_TEST(host.host == "node7.cluster");
    BOOST_TEST(host.port == 31415);
    BOOST_TEST(SocketAddress::parse("[::1]:31415").host == "::1");
    for (const char* text : {"", "water", "unix:", "host:", ":31415", "host:0", "host:65536", "host:12a"})
        BOOST_CHECK_EXCEPTION(SocketAddress::parse(text), InputError,
                              [](const auto& e) { return mentions(e, "unix:NAME"); });
    BOOST_CHECK_EXCEPTION(SocketAddress::parse("unix:" + std::string(200, 'x')), InputError,
                          [](const auto& e) { return mentions(e, "characters"); });
}

BOOST_AUTO_TEST_CASE(served_energies_and_forces_are_those_of_a_direct_evaluation) {
    for (const auto kind : {IpiServer::Kind::unix_socket, IpiServer::Kind::internet}) {
        IpiServer server(kind);
        Served served(server);
        server.accept();
        SpringCalculator direct(sheet());
        for (int seed = 1; seed <= 3; ++seed) {
            const Structure moved = rattled(sheet(), 0.1, static_cast<std::uint64_t>(seed));
            Evaluation expected;
            direct.evaluate(moved, {}, expected, {});
            const auto answer = server.evaluate(moved.positions, moved.cell.vectors);
            BOOST_TEST(answer.energy == expected.energy);
            BOOST_TEST(same_bits(answer.forces, expected.forces));
            BOOST_TEST(answer.virial.isZero());
            BOOST_TEST(answer.extra == "");
        }
        server.send("EXIT");
        BOOST_TEST(served.evaluations.get() == 3);
        BOOST_TEST(served.warnings == "");
    }
}

BOOST_AUTO_TEST_CASE(the_client_tells_what_it_waits_for) {
    IpiServer server;
    Served served(server);
    server.accept();
    BOOST_TEST(server.status() == "NEEDINIT");
    server.initialise(4);
    BOOST_TEST(server.status() == "READY");
    server.send_positions(sheet().positions, sheet().cell.vectors);
    BOOST_TEST(server.status() == "HAVEDATA");
    BOOST_TEST(server.status() == "HAVEDATA");
    server.receive_forces();
    BOOST_TEST(server.status() == "READY");
    server.send("EXIT");
    BOOST_TEST(served.evaluations.get() == 1);
}

BOOST_AUTO_TEST_CASE(positions_are_taken_without_initialisation) {
    IpiServer server;
    Served served(server);
    server.accept();
    server.send_positions(sheet().positions, sheet().cell.vectors);
    BOOST_TEST(server.receive_forces().forces.cols() == sheet().size());
    server.send("EXIT");
    BOOST_TEST(served.evaluations.get() == 1);
}

BOOST_AUTO_TEST_CASE(the_cell_of_the_server_is_used_and_the_virial_is_minus_stress_times_volume) {
    IpiServer server;
    Pressure calculator(0.02);
    Structure structure = sheet();
    structure.cell.vectors = 20 * Eigen::Matrix3d::Identity();
    structure.cell.periodic = {true, true, true};
    auto evaluations = std::async(std::launch::async, [&] {
        return io::serve(calculator, structure, SocketAddress::parse(server.address()), {});
    });
    server.accept();
    Eigen::Matrix3d cell;
    cell << 30, 3, 1, 0, 40, 2, 0, 0, 50;
    const auto answer = server.evaluate(structure.positions, cell);
    BOOST_TEST(answer.energy == 0.02 * 30 * 40 * 50, boost::test_tools::tolerance(1e-14));
    BOOST_TEST(answer.virial.isApprox(-0.02 * 30 * 40 * 50 * Eigen::Matrix3d::Identity(), 1e-14));
    server.send_positions(structure.positions, Eigen::Matrix3d::Zero());
    BOOST_CHECK_EXCEPTION(evaluations.get(), InputError,
                          [](const auto& e) { return mentions(e, "cell without volume"); });
}

BOOST_AUTO_TEST_CASE(a_missing_server_is_an_error_that_says_where) {
    SpringCalculator springs(sheet());
    BOOST_CHECK_EXCEPTION(io::serve(springs, sheet(), SocketAddress::parse("unix:nobody-there"), {}),
                          BackendError, [](const auto& e) { return mentions(e, "/tmp/ipi_nobody-there"); });
    const std::string address = free_address();
    BOOST_CHECK_EXCEPTION(io::serve(springs, sheet(), SocketAddress::parse(address), {}), BackendError,
                          [&](const auto& e) { return mentions(e, address); });
    BOOST_CHECK_EXCEPTION(io::serve(springs, sheet(), SocketAddress::parse("no.such.host.invalid:31415"), {}),
                          BackendError, [](const auto& e) { return mentions(e, "no.such.host.invalid"); });
}

BOOST_AUTO_TEST_CASE(another_number_of_atoms_is_refused) {
    IpiServer server;
    Served served(server);
    server.accept();
    server.send_positions(sheet().positions.leftCols(3), sheet().cell.vectors);
    BOOST_CHECK_EXCEPTION(served.evaluations.get(), InputError, [](const auto& e) {
        return mentions(e, "sent 3 atoms, but the structure that is served has 16");
    });
}

BOOST_AUTO_TEST_CASE(a_connection_cut_between_messages_is_the_end_and_inside_of_one_an_error) {
    const std::string head = IpiServer::padded("POSDATA");
    const std::pair<std::string, const char*> cuts[] = {
        {"STAT", "4 of the 12 bytes of a header"},
        {head, "0 of the 72 bytes of the cell"},
        {head + std::string(40, '\0'), "40 of the 72 bytes of the cell"},
        {head + std::string(144, '\0'), "0 of the 4 bytes of the number of atoms"}};
    for (const auto& [sent, told] : cuts) {
        IpiServer server;
        Served served(server);
        server.accept();
        server.send_bytes(sent);
        server.hang_up();
        BOOST_CHECK_EXCEPTION(served.evaluations.get(), BackendError,
                              [told = told](const auto& e) { return mentions(e, told); });
    }
    IpiServer server;
    Served served(server);
    server.accept();
    server.evaluate(sheet().positions, sheet().cell.vectors);
    server.hang_up();
    BOOST_TEST(served.evaluations.get() == 1);
    BOOST_TEST(served.warnings.find("without EXIT") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_is_no_protocol_is_refused) {
    const std::pair<std::string, const char*> wrong[] = {
        {IpiServer::padded("GETFORCE"), "before it sent positions"},
        {"HTTP/1.1 400", "sent 'HTTP/1.1 400'"},
        {IpiServer::padded("INIT") + std::string(4, '\0') + std::string(4, '\xff'), "-1 bytes"}};
    for (const auto& [sent, told] : wrong) {
        IpiServer server;
        Served served(server);
        server.accept();
        server.send_bytes(sent);
        BOOST_CHECK_EXCEPTION(served.evaluations.get(), BackendError,
                              [told = told](const auto& e) { return mentions(e, told); });
    }
}

BOOST_AUTO_TEST_CASE(a_failed_self_consistency_reaches_the_caller_and_ends_the_connection) {
    IpiServer server;
    Served served(server, std::make_unique<Unconverged>());
    server.accept();
    server.send_positions(sheet().positions, sheet().cell.vectors);
    BOOST_CHECK_THROW(served.evaluations.get(), ConvergenceError);
    BOOST_CHECK_THROW(server.status(), std::runtime_error);
}

BOOST_AUTO_TEST_CASE(a_stop_request_ends_the_waiting) {
    IpiServer server;
    Served served(server);
    server.accept();
    BOOST_TEST(server.status() == "NEEDINIT");
    served.stop.request_stop();
    BOOST_CHECK_THROW(served.evaluations.get(), StoppedError);
}

// Both sides of the socket are the project's own here; the server above and that of ASE see to it that this
// is the protocol and not a dialect.
BOOST_AUTO_TEST_CASE(a_calculator_behind_a_socket_gives_what_the_client_computes) {
    for (const std::string& address :
         {"unix:stembridge-test-" + std::to_string(::getpid()), free_address()}) {
        auto server = std::make_unique<io::SocketServer>(SocketAddress::parse(address), 60);
        SpringCalculator springs(sheet()), direct(sheet());
        auto client = std::async(std::launch::async, [&springs, address] {
            return io::serve(springs, sheet(), SocketAddress::parse(address), {});
        });
        for (int seed = 1; seed <= 3; ++seed) {
            const Structure moved = rattled(sheet(), 0.1, static_cast<std::uint64_t>(seed));
            Evaluation expected, served;
            direct.evaluate(moved, {}, expected, {});
            server->evaluate(moved, {}, served, {});
            BOOST_TEST(served.energy == expected.energy);
            BOOST_TEST(same_bits(served.forces, expected.forces));
            BOOST_TEST(!served.stress.has_value());
        }
        server.reset();  // says EXIT
        BOOST_TEST(client.get() == 3);
    }
}

BOOST_AUTO_TEST_CASE(a_calculator_behind_a_socket_gives_the_stress_of_the_client) {
    const std::string address = "unix:stembridge-test-" + std::to_string(::getpid());
    io::SocketServer server(SocketAddress::parse(address), 60);
    Structure structure = sheet();
    structure.cell.vectors << 30, 3, 1, 0, 40, 2, 0, 0, 50;
    structure.cell.periodic = {true, true, true};
    Pressure pressure(0.02);
    auto client = std::async(std::launch::async, [&] {
        return io::serve(pressure, structure, SocketAddress::parse(address), {});
    });
    structure.cell.vectors *= 1.1;
    Evaluation served;
    BOOST_TEST(server.offers(structure).stress);
    server.evaluate(structure, {.forces = true, .stress = true}, served, {});
    BOOST_TEST(served.energy == 0.02 * structure.cell.volume(), boost::test_tools::tolerance(1e-14));
    BOOST_TEST(served.stress->isApprox(0.02 * Eigen::Matrix3d::Identity(), 1e-14));
    structure.atomic_numbers.pop_back();
    structure.positions.conservativeResize(3, structure.size());
    BOOST_CHECK_THROW(server.evaluate(structure, {}, served, {}), BackendError);
    BOOST_CHECK_THROW(client.get(), InputError);
}

BOOST_AUTO_TEST_CASE(a_client_that_does_not_come_or_goes_is_told) {
    const std::string address = "unix:stembridge-test-" + std::to_string(::getpid());
    Evaluation out;
    {
        io::SocketServer server(SocketAddress::parse(address), 0.2);
        BOOST_CHECK_EXCEPTION(server.evaluate(sheet(), {}, out, {}), BackendError,
                              [](const auto& e) { return mentions(e, "no i-PI client came"); });
        BOOST_CHECK_EXCEPTION(io::SocketServer(SocketAddress::parse(address), 0.2), BackendError,
                              [](const auto& e) { return mentions(e, "cannot listen at"); });
        Context context;
        std::stop_source stop;
        stop.request_stop();
        context.stop = stop.get_token();
        BOOST_CHECK_THROW(server.evaluate(sheet(), {}, out, context), StoppedError);
    }
    BOOST_TEST(!std::filesystem::exists(SocketAddress::parse(address).file));
    io::SocketServer server(SocketAddress::parse(address), 60);
    Unconverged unconverged;
    auto client = std::async(std::launch::async, [&] {
        return io::serve(unconverged, sheet(), SocketAddress::parse(address), {});
    });
    BOOST_CHECK_EXCEPTION(server.evaluate(sheet(), {}, out, {}), BackendError,
                          [](const auto& e) { return mentions(e, "closed the connection"); });
    BOOST_CHECK_THROW(client.get(), ConvergenceError);
}

BOOST_AUTO_TEST_SUITE_END()

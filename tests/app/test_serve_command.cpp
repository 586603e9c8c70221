// SPDX-License-Identifier: Apache-2.0
// stembridge serve: SCC-DFTB for a program that speaks i-PI.
#include <unistd.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <csignal>
#include <fstream>
#include <thread>

#include "stembridge/calculators/calculators.hpp"
#include "stembridge/io/structure_file.hpp"
#include "stembridge/io/text_file.hpp"
#include "support/ipi_server.hpp"
#include "workplace.hpp"

using namespace stembridge;
using namespace stembridge::testing;

namespace {

const std::string tolerance = "1e-11";

/// `stembridge serve` of a structure with an invented parameter set, connected to a server.
struct ServedProgram {
    explicit ServedProgram(const Structure& structure, IpiServer::Kind kind = IpiServer::Kind::unix_socket,
                           const std::vector<std::string>& more = {})
        : server(kind) {
        std::filesystem::create_directory(folder.path() / "set");
        write_synthetic_set(folder.path() / "set");
        io::write_structure(file("start.extxyz"), structure);
        std::vector<std::string> arguments = {
            "serve",     file("start.extxyz"), "--address", server.address(), "--parameters",
            file("set"), "--scc-tolerance",    tolerance,   "--threads",      "1"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        program = std::make_unique<RunningProgram>(arguments);
        server.accept();
    }
    std::string file(const std::string& name) const { return (folder.path() / name).string(); }

    TemporaryFolder folder;
    IpiServer server;
    std::unique_ptr<RunningProgram> program;
};

/// The same calculation without a socket.
std::unique_ptr<Calculator> direct_calculator(const ServedProgram& served, const Structure& structure) {
    io::Schema schema = calculator_keys();
    schema.push_back(threads_key());
    io::Config config(schema);
    config.set("calculator.parameters", served.file("set"), "test");
    config.set("calculator.scc.tolerance", tolerance, "test");
    config.set("run.threads", "1", "test");
    return make_calculator(config, structure);
}

bool outcome_mentions(const Outcome& outcome, const std::string& words) {
    const bool found = outcome.output.find(words) != std::string::npos;
    if (!found) BOOST_TEST_MESSAGE(outcome.output);
    return found;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_serve_command)

BOOST_AUTO_TEST_CASE(energy_forces_and_virial_are_those_of_a_direct_evaluation) {
    for (const auto kind : {IpiServer::Kind::unix_socket, IpiServer::Kind::internet}) {
        Structure moved = crystal();
        ServedProgram served(moved, kind);
        const auto direct = direct_calculator(served, moved);
        for (int step = 0; step < 3; ++step) {
            moved.positions.col(1) += Eigen::Vector3d(0.05, -0.03, 0.02);
            moved.cell.vectors *= 1.01;
            Evaluation expected;
            direct->evaluate(moved, {.forces = true, .stress = true}, expected, {});
            const auto answer = served.server.evaluate(moved.positions, moved.cell.vectors);
            BOOST_TEST(std::abs(answer.energy - expected.energy) < 1e-12);
            BOOST_TEST((answer.forces - expected.forces).cwiseAbs().maxCoeff() < 1e-12);
            BOOST_TEST((answer.virial + moved.cell.volume() * *expected.stress).cwiseAbs().maxCoeff() <
                       1e-12);
        }
        served.server.send("EXIT");
        const Outcome outcome = served.program->wait();
        BOOST_TEST(outcome.status == 0, outcome.output);
        BOOST_TEST(outcome_mentions(outcome, "3 evaluations"));
    }
}

// Central differences of second order: the error is h^2/6 times third derivatives of order 1, plus the
// error of the energy, some 1e-12 hartree, over h.
BOOST_AUTO_TEST_CASE(forces_and_virial_are_derivatives_of_the_served_energy) {
    const Structure start = crystal();
    ServedProgram served(start);
    const auto answer = served.server.evaluate(start.positions, start.cell.vectors);
    constexpr double h = 1e-3, strain = 1e-4;
    for (const auto& [axis, atom] : {std::pair{0, 0}, {2, 2}, {1, 4}}) {
        const auto energy = [&](double step) {
            Eigen::Matrix3Xd positions = start.positions;
            positions(axis, atom) += step;
            return served.server.evaluate(positions, start.cell.vectors).energy;
        };
        BOOST_TEST(std::abs((energy(-h) - energy(h)) / (2 * h) - answer.forces(axis, atom)) < 2e-6);
    }
    for (const auto& [i, j] : {std::pair{0, 0}, {1, 2}}) {
        const auto energy = [&](double step) {
            Eigen::Matrix3d deformation = Eigen::Matrix3d::Identity();
            deformation(i, j) += step / 2;
            deformation(j, i) += step / 2;
            return served.server.evaluate(deformation * start.positions, deformation * start.cell.vectors)
                .energy;
        };
        BOOST_TEST(std::abs((energy(-strain) - energy(strain)) / (2 * strain) - answer.virial(i, j)) < 2e-6);
    }
}

BOOST_AUTO_TEST_CASE(a_molecule_has_no_virial_and_no_use_for_the_servers_cell) {
    ServedProgram served(molecule());
    const auto one = served.server.evaluate(molecule().positions, Eigen::Matrix3d::Zero());
    const auto other = served.server.evaluate(molecule().positions, 30 * Eigen::Matrix3d::Identity());
    BOOST_TEST(std::abs(one.energy - other.energy) < 1e-10);
    BOOST_TEST(one.virial.isZero());
    BOOST_TEST(other.virial.isZero());
}

BOOST_AUTO_TEST_CASE(mistakes_have_a_message_and_the_exit_code_of_their_kind) {
    const TemporaryFolder folder;
    io::write_structure(folder.path() / "start.extxyz", molecule());
    const std::string start = (folder.path() / "start.extxyz").string();
    const Outcome nobody = run_program({"serve", start, "--address", "unix:stembridge-nobody-there"});
    BOOST_TEST(nobody.status == 5, nobody.output);
    BOOST_TEST(outcome_mentions(nobody, "no i-PI server at unix socket /tmp/ipi_stembridge-nobody-there"));
    const Outcome malformed = run_program({"serve", start, "--address", "nobody"});
    BOOST_TEST(malformed.status == 2, malformed.output);
    BOOST_TEST(outcome_mentions(malformed, "HOST:PORT"));

    ServedProgram other(molecule());
    other.server.send_positions(molecule().positions.leftCols(2), Eigen::Matrix3d::Zero());
    const Outcome atoms = other.program->wait();
    BOOST_TEST(atoms.status == 2, atoms.output);
    BOOST_TEST(outcome_mentions(atoms, "sent 2 atoms, but the structure that is served has 5"));

    ServedProgram cut(molecule());
    cut.server.send_bytes(IpiServer::padded("POSDATA") + std::string(100, '\0'));
    cut.server.hang_up();
    const Outcome broken = cut.program->wait();
    BOOST_TEST(broken.status == 5, broken.output);
    BOOST_TEST(outcome_mentions(broken, "broke off in the middle of a message"));
}

BOOST_AUTO_TEST_CASE(a_failed_self_consistency_ends_with_exit_code_4) {
    ServedProgram served(molecule(), IpiServer::Kind::unix_socket, {"--max-scc-iterations", "1"});
    served.server.send_positions(molecule().positions, Eigen::Matrix3d::Zero());
    const Outcome outcome = served.program->wait();
    BOOST_TEST(outcome.status == 4, outcome.output);
    BOOST_TEST(outcome_mentions(outcome, "SCC"));
    BOOST_CHECK_THROW(served.server.status(), std::runtime_error);
}

BOOST_AUTO_TEST_CASE(a_signal_ends_the_waiting_with_exit_code_6) {
    ServedProgram served(molecule());
    served.server.evaluate(molecule().positions, Eigen::Matrix3d::Zero());
    served.program->send(SIGTERM);
    const Outcome outcome = served.program->wait();
    BOOST_TEST(outcome.status == 6, outcome.output);
    BOOST_TEST(outcome_mentions(outcome, "stopped on request"));
}

BOOST_AUTO_TEST_CASE(a_server_that_is_late_is_waited_for) {
    IpiServer server;
    const TemporaryFolder folder;
    io::write_structure(folder.path() / "start.extxyz", molecule());
    const std::string file = "/tmp/ipi_" + server.address().substr(5);
    std::filesystem::rename(file, file + ".hidden");
    RunningProgram program({"serve", (folder.path() / "start.extxyz").string(), "--address", server.address(),
                            "--wait", "60 s", "--threads", "1"});
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    BOOST_TEST(program.is_running());
    std::filesystem::rename(file + ".hidden", file);
    server.accept();
    server.send("EXIT");
    BOOST_TEST(program.wait().status == 0);
}

BOOST_AUTO_TEST_CASE(dynamics_with_a_client_at_a_socket_are_those_without_it) {
    const MoleculeWorkplace place;
    const std::string address = "unix:stembridge-test-" + std::to_string(::getpid());
    const std::string config = place.folder.write(
        "socket.toml", "[calculator]\nkind = \"socket\"\n[calculator.socket]\naddress = \"" + address +
                           "\"\nwait = \"60 s\"\n[md]\nscc_cycles = 0\n");
    const std::string plain = place.folder.write("plain.toml", "[md]\nscc_cycles = 0\n");
    RunningProgram client({"serve", place.file("start.extxyz"), "--address", address, "--wait", "60 s",
                           "--parameters", place.file("set"), "--threads", "1", "--scc-tolerance",
                           tolerance});
    const Outcome served = run_program(place.md("served", 5, {"--config", config}));
    BOOST_TEST(served.status == 0, served.output);
    BOOST_TEST(client.wait().status == 0);
    const Outcome direct =
        run_program(place.md("direct", 5, {"--config", plain, "--scc-tolerance", tolerance}));
    BOOST_TEST(direct.status == 0, direct.output);
    const auto last = [&](const std::string& folder) {
        return io::read_structure(place.file(folder + "/trajectory.extxyz"));
    };
    BOOST_TEST((last("served").positions - last("direct").positions).cwiseAbs().maxCoeff() < 1e-8);
}

BOOST_AUTO_TEST_CASE(a_stop_inside_an_evaluation_is_recorded_and_the_same_command_continues) {
    const MoleculeWorkplace place;
    const std::string address = "unix:stembridge-test-stop-" + std::to_string(::getpid());
    const std::string config = place.folder.write(
        "socket.toml", "[calculator]\nkind = \"socket\"\n[calculator.socket]\naddress = \"" + address +
                           "\"\nwait = \"60 s\"\n[md]\nscc_cycles = 0\n[vibrations]\nworkers = 1\n");
    const std::string start = place.file("start.extxyz");
    // Nobody comes to the socket: each waits inside its first evaluation.
    for (const std::vector<std::string>& arguments :
         {place.md("md", 5, {"--config", config}),
          {"vibrations", start, "--config", config, "--out", place.file("vibrations")},
          {"neb", start, start, "--config", config, "--out", place.file("neb")}}) {
        const std::string folder = place.file(arguments.front());
        RunningProgram program(arguments);
        const auto waits = [&] {
            std::ifstream log(folder + "/log.txt");
            const std::string text(std::istreambuf_iterator<char>(log), {});
            return text.find("waiting for an i-PI client") != std::string::npos;
        };
        while (program.is_running() && !waits()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
        program.send(SIGTERM);
        const Outcome outcome = program.wait();
        BOOST_TEST(outcome.status == 6, outcome.output);
        BOOST_TEST(outcome_mentions(outcome, "the same command continues"));
        BOOST_TEST(io::read_text(folder + "/stage.json").find("\"stopped\"") != std::string::npos);
    }
    RunningProgram client({"serve", start, "--address", address, "--wait", "60 s", "--parameters",
                           place.file("set"), "--threads", "1"});
    const Outcome continued = run_program(place.md("md", 5, {"--config", config}));
    BOOST_TEST(continued.status == 0, continued.output);
    BOOST_TEST(client.wait().status == 0);
    const std::string table = io::read_text(place.file("md/thermo.csv"));
    BOOST_TEST(std::count(table.begin(), table.end(), '\n') == 7);  // header and steps 0..5
}

BOOST_AUTO_TEST_SUITE_END()

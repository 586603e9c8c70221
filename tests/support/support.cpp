// SPDX-License-Identifier: Apache-2.0
#include "support/support.hpp"

#include <unistd.h>

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <fstream>

namespace stembridge::testing {
namespace fs = std::filesystem;

namespace {
bool skipped = false;

double energy_of(Calculator& calculator, const Structure& structure) {
    Evaluation evaluation;
    calculator.evaluate(structure, {.forces = false, .stress = false}, evaluation, Context{});
    return evaluation.energy;
}
}  // namespace

std::optional<fs::path> reference_data() {
    const char* variable = std::getenv("STEMBRIDGE_REFERENCE_DATA");
    const fs::path folder =
        variable ? fs::path(variable) : fs::path(STEMBRIDGE_SOURCE_DIR) / "../shared/reference";
    if (!fs::is_directory(folder)) return std::nullopt;
    return fs::canonical(folder);
}

fs::path source_folder() {
    return STEMBRIDGE_SOURCE_DIR;
}

fs::path program() {
    return fs::path(STEMBRIDGE_BINARY_DIR) / "bin" / "stembridge";
}

void skip(const std::string& reason) {
    skipped = true;
    BOOST_TEST_MESSAGE("skipped: " << reason);
}

bool anything_skipped() {
    return skipped;
}

TemporaryFolder::TemporaryFolder() {
    static std::atomic<int> counter{0};
    path_ = fs::temp_directory_path() /
            ("stembridge-test-" + std::to_string(::getpid()) + "-" + std::to_string(counter++));
    fs::create_directories(path_);
}

std::filesystem::path TemporaryFolder::write(const std::string& name, const std::string& content) const {
    std::filesystem::remove(path_ / name);  // some file systems flush a file that is written over
    std::ofstream(path_ / name, std::ios::binary) << content;
    return path_ / name;
}

TemporaryFolder::~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
}

Eigen::Matrix3Xd numerical_forces(Calculator& calculator, const Structure& structure, double step) {
    Eigen::Matrix3Xd forces(3, structure.size());
    Structure moved = structure;
    for (int atom = 0; atom < structure.size(); ++atom) {
        for (int axis = 0; axis < 3; ++axis) {
            const double x = structure.positions(axis, atom);
            moved.positions(axis, atom) = x + step;
            const double forward = energy_of(calculator, moved);
            moved.positions(axis, atom) = x - step;
            const double backward = energy_of(calculator, moved);
            moved.positions(axis, atom) = x;
            forces(axis, atom) = -(forward - backward) / (2 * step);
        }
    }
    return forces;
}

Eigen::Matrix3d numerical_stress(Calculator& calculator, const Structure& structure, double step) {
    Eigen::Matrix3d stress;
    const auto strained_energy = [&](int a, int b, double strain) {
        Eigen::Matrix3d deformation = Eigen::Matrix3d::Identity();
        deformation(a, b) += strain / 2;
        deformation(b, a) += strain / 2;
        Structure strained = structure;
        strained.positions = deformation * structure.positions;
        strained.cell.vectors = deformation * structure.cell.vectors;
        return energy_of(calculator, strained);
    };
    for (int a = 0; a < 3; ++a) {
        for (int b = 0; b <= a; ++b) {
            const double slope = (strained_energy(a, b, step) - strained_energy(a, b, -step)) / (2 * step);
            stress(a, b) = stress(b, a) = slope / structure.cell.volume();
        }
    }
    return stress;
}

}  // namespace stembridge::testing

// SPDX-License-Identifier: Apache-2.0
// A folder with an invented parameter set and a molecule, for tests that run the program.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "run_program.hpp"
#include "stembridge/io/structure_file.hpp"
#include "stembridge/io/text_file.hpp"
#include "tb/synthetic.hpp"

namespace stembridge::testing {

struct MoleculeWorkplace {
    MoleculeWorkplace() {
        std::filesystem::create_directory(folder.path() / "set");
        write_synthetic_set(folder.path() / "set");
        io::write_structure(folder.path() / "start.extxyz", molecule());
    }
    std::string file(const std::string& name) const { return (folder.path() / name).string(); }
    /// stembridge md start.extxyz with few and short steps; more options win over these.
    std::vector<std::string> md(const std::string& out, int steps,
                                const std::vector<std::string>& more = {}) const {
        std::vector<std::string> arguments = {"md", file("start.extxyz"), "--out", file(out)};
        const std::vector<std::pair<std::string, std::string>> usual = {
            {"--parameters", file("set")}, {"--steps", std::to_string(steps)}, {"--timestep", "0.2 fs"},
            {"--checkpoint-every", "7"},   {"--trajectory-every", "5"},        {"--threads", "1"}};
        for (const auto& [option, value] : usual)
            if (std::find(more.begin(), more.end(), option) == more.end())
                arguments.insert(arguments.end(), {option, value});
        arguments.insert(arguments.end(), more.begin(), more.end());
        return arguments;
    }
    TemporaryFolder folder;
};

/// A sweep of the molecule over two temperatures and two seeds.
inline std::string sweep_config(const MoleculeWorkplace& place, int steps) {
    io::write_text_atomically(
        place.folder.path() / "sweep.toml",
        "[run]\nthreads = 2\nreplicas_at_once = 2\nstages = [\"build\", \"md\", \"report\"]\n"
        "[build]\nstructure = \"start.extxyz\"\nremove_dangling = false\nterminate = \"none\"\n"
        "short_bonds = \"remove\"\n[calculator]\nparameters = \"set\"\n"
        "[md]\ntemperature = [\"200 K\", \"400 K\"]\nseeds = [1, 2]\ntimestep = \"0.2 fs\"\n"
        "trajectory_every = 5\ncheckpoint_every = 7\nsteps = " +
            std::to_string(steps) + "\n");
    return place.file("sweep.toml");
}

inline const std::vector<std::string> sweep_replicas = {"200K-seed1", "200K-seed2", "400K-seed1",
                                                        "400K-seed2"};

}  // namespace stembridge::testing

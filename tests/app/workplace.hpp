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

}  // namespace stembridge::testing

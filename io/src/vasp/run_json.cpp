// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "stembridge/io/vasp_run.hpp"

namespace stembridge::io {
namespace {

nlohmann::json value(const std::optional<double>& number) {
    return number ? nlohmann::json(*number) : nlohmann::json(nullptr);
}

/// One row per column of the matrix: lattice vectors, atoms.
nlohmann::json rows(const Eigen::Matrix3Xd& vectors) {
    nlohmann::json result = nlohmann::json::array();
    for (Eigen::Index i = 0; i < vectors.cols(); ++i)
        result.push_back({vectors(0, i), vectors(1, i), vectors(2, i)});
    return result;
}

/// Valid UTF-8: other bytes of a file become '?'.
std::string plain(std::string text) {
    for (char& c : text)
        if (static_cast<unsigned char>(c) >= 0x80) c = '?';
    return text;
}

}  // namespace

std::string to_json_text(const VaspRun& run) {
    nlohmann::json j = {{"status", name(run.status)},  {"version", nullptr},
                        {"n_atoms", nullptr},          {"species", nullptr},
                        {"n_ionic_steps", nullptr},    {"energy_zero_ev", nullptr},
                        {"energy_free_ev", nullptr},   {"max_force_ev_per_angstrom", nullptr},
                        {"lattice_angstrom", nullptr}, {"positions_angstrom", nullptr},
                        {"temperature_k", nullptr},    {"magnetization", nullptr},
                        {"stress_kbar", nullptr},      {"file", plain(run.file.string())},
                        {"problem", nullptr},          {"notes", nlohmann::json::array()}};
    if (!run.problem.empty()) j["problem"] = plain(run.problem);
    for (const std::string& note : run.notes) j["notes"].push_back(plain(note));
    if (run.status == VaspStatus::malformed) return j.dump(1) + "\n";
    if (!run.version.empty()) j["version"] = plain(run.version);
    if (run.n_atoms) j["n_atoms"] = *run.n_atoms;
    if (!run.species.empty()) {
        j["species"] = nlohmann::json::array();
        for (const std::string& symbol : run.species) j["species"].push_back(plain(symbol));
    }
    if (run.kind != VaspRun::Kind::poscar) j["n_ionic_steps"] = run.steps.size();
    if (run.steps.empty()) return j.dump(1) + "\n";
    const VaspStep& last = run.steps.back();
    j["energy_zero_ev"] = value(last.energy_zero_ev);
    j["energy_free_ev"] = value(last.energy_free_ev);
    j["max_force_ev_per_angstrom"] = value(max_free_force(run, last));
    j["temperature_k"] = value(last.temperature_k);
    j["magnetization"] = value(last.magnetization);
    if (last.positions_angstrom.cols() != 0) {
        j["lattice_angstrom"] = rows(last.lattice_angstrom);
        j["positions_angstrom"] = rows(last.positions_angstrom);
    }
    if (last.stress_kbar) j["stress_kbar"] = rows(last.stress_kbar->transpose());
    return j.dump(1) + "\n";
}

}  // namespace stembridge::io

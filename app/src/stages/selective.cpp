// SPDX-License-Identifier: Apache-2.0
// One structure relaxed with different coordinates held fixed.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "configuration.hpp"
#include "stages/checkpointed_inputs.hpp"
#include "stages/stages.hpp"
#include "stages/studies.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/io/structure_file.hpp"
#include "stembridge/io/text_file.hpp"
#include "stembridge/structure/analysis.hpp"
#include "stembridge/structure/builders.hpp"

namespace stembridge::app {
namespace fs = std::filesystem;
namespace {

using nlohmann::json;

struct Variant {
    std::string name;
    std::vector<std::string> rules;
};

/// The paper's four, unless the configuration names others.
std::vector<Variant> variants_of(const io::Config& config) {
    if (!config.has("selective.variants"))
        return {{"free", {}}, {"perimeter", {"perimeter"}}, {"plane", {"xy"}}, {"hydrogen", {"species:H"}}};
    std::vector<Variant> variants;
    for (const auto& [name, rules] : config.table("selective.variants").table()) {
        Variant variant{name, {}};
        const bool usable = !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
            return std::isalnum(c) || c == '-' || c == '_';
        });
        if (!usable)
            throw InputError(
                fmt::format("{}: '{}' cannot be the name of a variant; accepted are letters, "
                            "digits, '-' and '_'",
                            rules.where(), name));
        if (rules.is_text())
            variant.rules.push_back(rules.text());
        else
            for (const auto& rule : rules.list()) variant.rules.push_back(rule.text());
        variants.push_back(std::move(variant));
    }
    if (variants.empty())
        throw InputError(config.where("selective.variants") + ": give at least one variant");
    return variants;
}

std::string list_of(const std::vector<std::string>& rules) {
    if (rules.empty()) return "[\"none\"]";
    std::string list;
    for (const auto& rule : rules) list += fmt::format("{}\"{}\"", list.empty() ? "" : ", ", rule);
    return "[" + list + "]";
}

json bond_numbers(const StructureAnalysis& analysis, const std::string& pair) {
    const auto found = analysis.bonds.find(pair);
    if (found == analysis.bonds.end()) return nullptr;
    return {{"mean", found->second.mean / units::angstrom},
            {"std", found->second.standard_deviation / units::angstrom},
            {"min", found->second.min / units::angstrom},
            {"max", found->second.max / units::angstrom}};
}

/// Bonds and moves of a relaxed variant; fixed coordinates are compared bit by bit.
json geometry_of(const Structure& start, const Structure& relaxed) {
    const Eigen::Matrix3Xd moves = relaxed.positions - start.positions;
    int n_fixed = 0, n_moved = 0;
    for (int atom = 0; atom < relaxed.size(); ++atom)
        for (int axis = 0; axis < 3; ++axis) {
            if (!relaxed.is_fixed(axis, atom)) continue;
            ++n_fixed;
            n_moved += moves(axis, atom) != 0 ? 1 : 0;
        }
    const StructureAnalysis analysis = analyze(relaxed);
    json rings = json::object();
    for (const auto& [size, count] : analysis.ring_counts) rings[std::to_string(size)] = count;
    const auto z = relaxed.positions.row(2);
    return {{"fixed_coordinates", n_fixed},
            {"fixed_coordinates_that_moved", n_moved},
            {"cc_angstrom", bond_numbers(analysis, "C-C")},
            {"ch_angstrom", bond_numbers(analysis, "C-H")},
            {"rings", rings},
            {"largest_move_angstrom", moves.colwise().norm().maxCoeff() / units::angstrom},
            {"mean_move_angstrom", moves.colwise().norm().mean() / units::angstrom},
            {"corrugation_angstrom", (z.maxCoeff() - z.minCoeff()) / units::angstrom}};
}

}  // namespace

StudyRelaxation relax_in_study(const io::Config& config, const Structure& start, const fs::path& folder,
                               Session& session) {
    const fs::path input = folder / "start.extxyz";  // to look at
    StageFolder stage(
        folder, "relax",
        checkpointed_inputs(config, "relax", table_files(config, start), {io::structure_text(input, start)}));
    StudyRelaxation result;
    if (stage.is_done()) {
        session.info("  unchanged, not done again");
        result.status = "done";
        result.results = stage.results();
    } else {
        stage.claim(session);
        io::write_structure(input, start);
        try {
            stage.attempt([&] { result.results = relax(config, start, stage, session); });
            result.status = "done";
        } catch (const StoppedError&) {
            throw;
        } catch (const ConvergenceError& e) {
            result.status = "not converged";
            result.error = e.what();
        } catch (const Error& e) {
            result.status = "failed";
            result.error = e.what();
        }
    }
    if (result.status == "done") result.relaxed = io::read_structure(folder / "relaxed.extxyz");
    if (session.stop_requested())
        throw StoppedError(
            fmt::format("stopped on request after {}; the same command continues", folder.string()));
    return result;
}

std::optional<std::string> tell_of_temperatures(const std::vector<double>& kelvin, const std::string& what,
                                                Session& session) {
    if (kelvin.empty()) return std::nullopt;
    const auto [lowest, highest] = std::minmax_element(kelvin.begin(), kelvin.end());
    if (*highest - *lowest < 0.5) return std::nullopt;
    std::string text = fmt::format(
        "{}: the energies that are compared belong to electronic temperatures from {:.0f} to {:.0f} K, as "
        "not all were self-consistent at the lowest; compare them with "
        "calculator.electronic_temperature = \"{:.0f} K\"",
        what, *lowest, *highest, *highest);
    session.warning(text);
    return text;
}

double electronic_temperature_k(const StudyRelaxation& run) {
    return run.results.is_object() ? run.results.value("electronic_temperature_k", 0.0) : 0;
}

json selective(const io::Config& config, const Structure& start, const fs::path& folder, Session& session) {
    const std::vector<Variant> variants = variants_of(config);
    for (const Variant& variant : variants) {  // bad rules are told before any work
        Structure marked = start;
        for (const auto& rule : variant.rules) fix_atoms(marked, rule);
        if (marked.fixed.cols() != 0 && marked.fixed.all())
            throw InputError(fmt::format("variant '{}' holds every coordinate fixed", variant.name));
    }
    json summary = {{"start", start.formula()}, {"variants", json::array()}};
    int n_done = 0;
    std::vector<double> kelvin;
    std::string last_error;
    for (const Variant& variant : variants) {
        session.info(fmt::format("variant {}: {}", variant.name,
                                 variant.rules.empty()
                                     ? std::string("nothing held fixed")
                                     : fmt::format("fixed: {}", fmt::join(variant.rules, ", "))));
        io::Config own = config;
        own.set("relax.fix", list_of(variant.rules), "selective.variants." + variant.name);
        const StudyRelaxation run = relax_in_study(own, start, folder / variant.name, session);
        json entry = {{"name", variant.name}, {"fix", variant.rules}, {"status", run.status}};
        if (run.relaxed) {
            ++n_done;
            entry.update(geometry_of(start, *run.relaxed));
            entry["energy_zero_hartree"] = run.results.value("energy_zero_hartree", std::nan(""));
            entry["electronic_temperature_k"] = kelvin.emplace_back(electronic_temperature_k(run));
            entry["force_evaluations"] = run.results.value("force_evaluations", 0);
            entry["max_force_ev_per_angstrom"] = run.results.value("max_force_ev_per_angstrom", 0.0);
        } else {
            entry["error"] = last_error = run.error;
            session.warning(fmt::format("variant {}: {}", variant.name, run.error));
        }
        summary["variants"].push_back(entry);
    }
    if (const auto warning = tell_of_temperatures(kelvin, "variants", session)) summary["warning"] = *warning;
    io::write_text_atomically(folder / "selective.json", summary.dump(2) + "\n");
    if (n_done == 0) throw NumericalError("no variant could be relaxed; the last one: " + last_error);
    return summary;
}

}  // namespace stembridge::app

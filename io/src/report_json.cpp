// SPDX-License-Identifier: Apache-2.0
// The numbers of a report for other programs.
#include <nlohmann/json.hpp>

#include "report_parts.hpp"
#include "stembridge/base/elements.hpp"
#include "stembridge/base/units.hpp"

namespace stembridge::io {
namespace {

using Json = nlohmann::ordered_json;

template <class T>
Json or_null(const std::optional<T>& value) {
    return value ? Json(*value) : Json(nullptr);
}

const char* name_of(ReportStage::Status status) {
    switch (status) {
        case ReportStage::Status::done:
            return "done";
        case ReportStage::Status::not_converged:
            return "not_converged";
        case ReportStage::Status::failed:
            return "failed";
        case ReportStage::Status::not_run:
            return "not_run";
    }
    throw std::logic_error("unknown stage status");
}

Json json_of(const ReportStage& stage) {
    return {{"name", stage.name},
            {"status", name_of(stage.status)},
            {"wall_seconds", stage.wall_seconds},
            {"note", stage.note}};
}

Json json_of(const ReportCalibration& c) {
    return {{"nominal_angstrom_per_px", or_null(c.nominal_angstrom_per_px)},
            {"lattice_angstrom_per_px", or_null(c.lattice_angstrom_per_px)},
            {"uncertainty_angstrom_per_px", or_null(c.uncertainty_angstrom_per_px)},
            {"smallest_angstrom_per_px", or_null(c.smallest_angstrom_per_px)},
            {"largest_angstrom_per_px", or_null(c.largest_angstrom_per_px)},
            {"anisotropy_percent", or_null(c.anisotropy_percent)},
            {"shear", or_null(c.shear)},
            {"rotation_degree", or_null(c.rotation_degree)},
            {"mean_cc_angstrom", or_null(c.mean_cc_angstrom)},
            {"applied", c.applied}};
}

Json json_of(const ReportDetector& d) {
    return {{"name", d.name},
            {"n_atoms", d.n_atoms},
            {"precision", or_null(d.precision)},
            {"recall", or_null(d.recall)},
            {"f1", or_null(d.f1)},
            {"rms_angstrom", or_null(d.rms_angstrom)},
            {"wall_seconds", or_null(d.wall_seconds)}};
}

Json json_of(const ReportFrame& frame) {
    Json counts = Json::object();
    Json x_px = Json::array();
    Json y_px = Json::array();
    Json elements = Json::array();
    Json probabilities = Json::array();
    for (const Detection& atom : frame.atoms) {
        const std::string element = atom.atomic_number == 0 ? "unknown" : element_symbol(atom.atomic_number);
        counts[element] = counts.value(element, 0) + 1;
        x_px.push_back(atom.x_px);
        y_px.push_back(atom.y_px);
        elements.push_back(element);
        probabilities.push_back(atom.probability);
    }
    Json json = {{"source", frame.image.source},
                 {"width_px", frame.image.width()},
                 {"height_px", frame.image.height()},
                 {"pixel_size_angstrom",
                  frame.pixel_size_angstrom > 0 ? Json(frame.pixel_size_angstrom) : Json(nullptr)},
                 {"n_atoms", frame.atoms.size()},
                 {"counts", counts}};
    if (frame.calibration) json["calibration"] = json_of(*frame.calibration);
    json["detectors"] = Json::array();
    for (const ReportDetector& detector : frame.detectors) json["detectors"].push_back(json_of(detector));
    json["atoms"] = {{"x_px", x_px}, {"y_px", y_px}, {"element", elements}, {"probability", probabilities}};
    return json;
}

Json json_of(const ReportStructure& content) {
    const StructureAnalysis& analysis = content.analysis;
    Json json = {{"formula", content.structure.formula()}, {"n_atoms", content.structure.size()}};
    json["ring_counts"] = Json::object();
    for (const auto& [size, count] : analysis.ring_counts) json["ring_counts"][std::to_string(size)] = count;
    json["defects"] = Json::array();
    for (const Defect& defect : analysis.defects) {
        Json atoms = Json::array();
        for (const int atom : defect.atoms) atoms.push_back(atom + 1);
        json["defects"].push_back({{"kind", defect.kind}, {"atoms", atoms}});
    }
    json["bonds"] = Json::object();
    for (const auto& [pair, s] : analysis.bonds)
        json["bonds"][pair] = {{"count", s.count},
                               {"mean_angstrom", s.mean / units::angstrom},
                               {"std_angstrom", s.standard_deviation / units::angstrom},
                               {"min_angstrom", s.min / units::angstrom},
                               {"max_angstrom", s.max / units::angstrom}};
    json["coordination"] = Json::object();
    for (const auto& [element, numbers] : analysis.coordination)
        for (const auto& [neighbors, count] : numbers)
            json["coordination"][element][std::to_string(neighbors)] = count;
    return json;
}

Json json_of(const ReportRelaxation& relaxation) {
    Json json = {{"method", relaxation.method},
                 {"converged", relaxation.converged},
                 {"tolerance_ev_per_angstrom", relaxation.tolerance_ev_per_angstrom},
                 {"energy_ev", relaxation.energy_ev},
                 {"max_force_ev_per_angstrom", relaxation.max_force_ev_per_angstrom},
                 {"before", json_of(relaxation.before)},
                 {"after", json_of(relaxation.after)}};
    if (!relaxation.coordinates_json.empty())
        json["found_coordinates"] = Json::parse(relaxation.coordinates_json);
    return json;
}

Json json_of(const ReportDynamics& run) {
    Json json = {{"name", run.name},
                 {"method", run.method},
                 {"n_atoms", run.n_atoms},
                 {"target_k", or_null(run.target_k)},
                 {"drift_mev_per_atom_per_ps", or_null(run.drift_mev_per_atom_per_ps)},
                 {"time_fs", run.time_fs},
                 {"potential_ev", run.potential_ev},
                 {"temperature_k", run.temperature_k},
                 {"conserved_ev", run.conserved_ev}};
    if (!run.cc_lengths_angstrom.empty()) {
        const Spread spread = spread_of(run.cc_lengths_angstrom);
        json["cc_lengths_angstrom"] = {
            {"count", run.cc_lengths_angstrom.size()}, {"mean", spread.mean}, {"std", spread.deviation}};
    }
    if (run.last) json["last"] = json_of(*run.last);
    if (!run.analysis_json.empty()) json["over_time"] = Json::parse(run.analysis_json);
    return json;
}

Json json_of(const ReportProvenance& p) {
    Json json = {{"version", p.version},
                 {"git_hash", p.git_hash},
                 {"command", p.command},
                 {"date", p.date},
                 {"host", p.host},
                 {"threads", or_null(p.threads)},
                 {"blas_kernel", p.blas_kernel},
                 {"seed", or_null(p.seed)},
                 {"parameter_set", p.parameter_set}};
    json["more"] = Json::object();
    for (const auto& [name, value] : p.more) json["more"][name] = value;
    json["sha256"] = Json::object();
    for (const auto& [file, hash] : p.sha256) json["sha256"][file] = hash;
    json["config"] = p.config;
    return json;
}

}  // namespace

std::string report_json(const ReportData& data) {
    Json json = {{"format", "stembridge report"},
                 {"format_version", 1},
                 {"title", data.title},
                 {"subtitle", data.subtitle},
                 {"warnings", data.warnings}};
    json["stages"] = Json::array();
    for (const ReportStage& stage : data.stages) json["stages"].push_back(json_of(stage));
    json["published_timings"] = Json::array();
    for (const ReportTiming& timing : data.published_timings)
        json["published_timings"].push_back(
            {{"name", timing.name}, {"seconds", timing.seconds}, {"text", timing.text}});
    if (data.frame) json["frame"] = json_of(*data.frame);
    if (data.build)
        json["build"] = {{"messages", data.build->messages}, {"built", json_of(data.build->built)}};
    if (data.relaxation) json["relaxation"] = json_of(*data.relaxation);
    if (!data.dynamics.empty()) {
        json["dynamics"] = Json::array();
        for (const ReportDynamics& run : data.dynamics) json["dynamics"].push_back(json_of(run));
    }
    for (const ReportSection& section : data.sections)
        json[section.id] = Json::parse(section.json.empty() ? "null" : section.json, nullptr, false);
    json["provenance"] = json_of(data.provenance);
    return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace stembridge::io

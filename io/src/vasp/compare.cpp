// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/base/units.hpp"
#include "stembridge/io/vasp_compare.hpp"
#include "stembridge/structure/neighbor_list.hpp"

namespace stembridge::io {
namespace {

using units::angstrom;
using units::electronvolt;
constexpr double kilobar = 0.1 * units::gigapascal;
constexpr double bin_angstrom = 0.05;
constexpr double longest_angstrom = 6;
constexpr double vacuum_angstrom = 8;  // a gap that no bond and no layer spacing has

class Accumulated {
  public:
    void add(double value) {
        squares_ += value * value;
        max_ = std::max(max_, std::abs(value));
        ++n_;
    }
    int n() const { return n_; }
    Spread spread() const { return {n_ > 0 ? std::sqrt(squares_ / n_) : 0, max_}; }

  private:
    double squares_ = 0, max_ = 0;
    int n_ = 0;
};

/// Lattice directions along which an empty gap separates the images.
std::vector<int> vacuum_directions(const VaspStep& step) {
    std::vector<int> result;
    const Eigen::Matrix3Xd fractions = step.lattice_angstrom.inverse() * step.positions_angstrom;
    for (int k = 0; k < 3; ++k) {
        std::vector<double> x;
        for (const double f : fractions.row(k)) x.push_back(f - std::floor(f));
        std::sort(x.begin(), x.end());
        double gap = x.front() + 1 - x.back();
        for (std::size_t i = 1; i < x.size(); ++i) gap = std::max(gap, x[i] - x[i - 1]);
        // Height over the plane of the other two vectors.
        const double height =
            std::abs(step.lattice_angstrom.determinant()) /
            step.lattice_angstrom.col((k + 1) % 3).cross(step.lattice_angstrom.col((k + 2) % 3)).norm();
        if (gap * height > vacuum_angstrom) result.push_back(k);
    }
    return result;
}

void compare_stress(const VaspRun& run, const std::vector<int>& steps, const std::vector<Evaluation>& ours,
                    VaspComparison& result) {
    const auto empty = vacuum_directions(run.steps[static_cast<std::size_t>(steps.front())]);
    Accumulated bulk, sheet;
    for (std::size_t i = 0; i < steps.size(); ++i) {
        const VaspStep& step = run.steps[static_cast<std::size_t>(steps[i])];
        if (!step.stress_kbar || !ours[i].stress) continue;
        // VASP: positive = compressed; ours: tension positive.
        const Eigen::Matrix3d difference = -*ours[i].stress / kilobar - *step.stress_kbar;
        if (empty.empty())
            for (const double component : difference.reshaped()) bulk.add(component);
        if (empty.size() != 1) continue;
        // Stress times height does not depend on the vacuum; it lies in the plane normal to n.
        const auto k = empty.front();
        const Eigen::Vector3d n =
            step.lattice_angstrom.col((k + 1) % 3).cross(step.lattice_angstrom.col((k + 2) % 3)).normalized();
        const double height = std::abs(n.dot(step.lattice_angstrom.col(k)));
        const Eigen::Matrix3d plane = Eigen::Matrix3d::Identity() - n * n.transpose();
        constexpr double n_per_m = 0.01;  // of one kbar angstrom
        const Eigen::Matrix3d in_plane = plane * difference * plane * height * n_per_m;
        for (const double component : in_plane.reshaped()) sheet.add(component);
    }
    if (bulk.n() > 0) result.stress_kbar = bulk.spread();
    if (sheet.n() > 0) result.sheet_stress_n_per_m = sheet.spread();
    if (empty.size() > 1)
        result.notes.emplace_back("no stress is compared: the box has vacuum around the atoms");
}

std::vector<int> elements_of(const VaspRun& run) {
    return to_structure(run, run.steps.back()).atomic_numbers;
}

}  // namespace

void require_comparable(const VaspRun& run, bool our_dispersion) {
    const std::string file = run.file.string();
    if (run.status == VaspStatus::malformed)
        throw InputError(fmt::format("'{}' cannot be compared, it is malformed: {}", file, run.problem));
    if (run.kind != VaspRun::Kind::vasprun && run.kind != VaspRun::Kind::outcar)
        throw InputError(fmt::format(
            "'{}' cannot be compared, it holds no forces: give a vasprun.xml or an OUTCAR", file));
    if (run.steps.empty())
        throw InputError(fmt::format("'{}' cannot be compared, it holds no complete ionic step", file));
    if (run.species.empty())
        throw InputError(fmt::format(
            "'{}' cannot be compared, it names no species: give the run folder with its POSCAR", file));
    if (run.steps.back().forces_ev_per_angstrom.cols() == 0)
        throw InputError(fmt::format("'{}' cannot be compared, its steps hold no forces", file));
    if (run.has_dispersion() != our_dispersion)
        throw InputError(fmt::format("'{}' cannot be compared: dispersion is in {} only; {}", file,
                                     our_dispersion ? "our side" : "the VASP run",
                                     our_dispersion ? "use --dispersion none" : "choose a --dispersion"));
}

std::vector<int> spread_steps(const VaspRun& run, int at_most) {
    const int n = static_cast<int>(run.steps.size());
    const int wanted = at_most <= 0 ? n : std::min(n, at_most);
    std::vector<int> result;
    for (int i = 0; i < wanted; ++i)
        result.push_back(
            wanted == 1 ? n - 1 : static_cast<int>(static_cast<std::int64_t>(i) * (n - 1) / (wanted - 1)));
    return result;
}

VaspComparison compare_with_vasp(const VaspRun& run, const std::vector<int>& steps,
                                 const std::vector<Evaluation>& ours) {
    if (steps.empty() || steps.size() != ours.size())
        throw InputError(fmt::format("{} steps of the run, {} evaluations", steps.size(), ours.size()));
    VaspComparison result;
    Accumulated forces, free, zero;
    const VaspStep& first = run.steps[static_cast<std::size_t>(steps.front())];
    const auto relative = [](const std::optional<double>& value, const std::optional<double>& reference) {
        return value && reference ? std::optional(*value - *reference) : std::nullopt;
    };
    for (std::size_t i = 0; i < steps.size(); ++i) {
        const VaspStep& step = run.steps[static_cast<std::size_t>(steps[i])];
        const Eigen::Matrix3Xd mine = ours[i].forces / units::electronvolt_per_angstrom;
        if (mine.cols() != step.forces_ev_per_angstrom.cols())
            throw InputError(fmt::format("'{}': {} forces, {} on our side", run.file.string(),
                                         step.forces_ev_per_angstrom.cols(), mine.cols()));
        ComparedStep row;
        row.step = steps[i] + 1;
        row.vasp_free_ev = relative(step.energy_free_ev, first.energy_free_ev);
        row.vasp_zero_ev = relative(step.energy_zero_ev, first.energy_zero_ev);
        row.ours_free_ev = (ours[i].energy - ours.front().energy) / electronvolt;
        row.ours_zero_ev = (ours[i].energy_zero - ours.front().energy_zero) / electronvolt;
        if (i > 0 && row.vasp_free_ev) free.add(row.ours_free_ev - *row.vasp_free_ev);
        if (i > 0 && row.vasp_zero_ev) zero.add(row.ours_zero_ev - *row.vasp_zero_ev);
        Accumulated here, theirs;
        double largest = 0;
        for (Eigen::Index atom = 0; atom < mine.cols(); ++atom) {
            const Eigen::Vector3d reference = step.forces_ev_per_angstrom.col(atom);
            if (!reference.allFinite()) {
                result.notes.push_back(fmt::format("step {}: the force on atom {} is overflowed and left out",
                                                   row.step, atom + 1));
                continue;
            }
            const Eigen::Vector3d difference = mine.col(atom) - reference;
            for (int axis = 0; axis < 3; ++axis) {
                here.add(difference(axis));
                forces.add(difference(axis));
                theirs.add(reference(axis));
            }
            largest = std::max(largest, difference.norm());
        }
        row.force_rms_ev_per_angstrom = here.spread().rms;
        row.vasp_force_rms_ev_per_angstrom = theirs.spread().rms;
        row.force_max_ev_per_angstrom = largest;
        result.force_ev_per_angstrom.max = std::max(result.force_ev_per_angstrom.max, largest);
        result.steps.push_back(row);
    }
    result.force_ev_per_angstrom.rms = forces.spread().rms;
    if (free.n() > 0) result.free_ev = free.spread();
    if (zero.n() > 0) result.zero_ev = zero.spread();
    compare_stress(run, steps, ours, result);
    return result;
}

GeometryDifference compare_geometry(const VaspRun& run, const Structure& ours,
                                    const std::vector<int>& atom_of_row) {
    if (run.steps.empty() || run.steps.back().positions_angstrom.cols() == 0)
        throw InputError(fmt::format("'{}' holds no positions to compare with", run.file.string()));
    const VaspStep& last = run.steps.back();
    const auto elements = elements_of(run);
    const auto n = static_cast<Eigen::Index>(elements.size());
    if (ours.size() != n || static_cast<Eigen::Index>(atom_of_row.size()) != n)
        throw InputError(
            fmt::format("'{}' has {} atoms, our structure {}", run.file.string(), n, ours.size()));
    Eigen::Matrix3Xd move(3, n);
    for (Eigen::Index row = 0; row < n; ++row) {
        const int atom = atom_of_row[static_cast<std::size_t>(row)];
        const int mine = ours.atomic_numbers.at(static_cast<std::size_t>(atom));
        const int theirs = elements[static_cast<std::size_t>(row)];
        if (mine != theirs)
            throw InputError(fmt::format(
                "row {} of '{}' is {}, our atom {} is {}: give the atom_map.csv of the input", row + 1,
                run.file.string(), element_symbol(theirs), atom + 1, element_symbol(mine)));
        move.col(row) = ours.positions.col(atom) / angstrom - last.positions_angstrom.col(row);
    }
    // A common shift means nothing; it is taken out relative to the first atom, so that images can be chosen,
    // then as the mean.
    move.colwise() -= Eigen::Vector3d(move.col(0));
    const Eigen::Matrix3Xd fractions = last.lattice_angstrom.inverse() * move;
    move -= last.lattice_angstrom * Eigen::Matrix3Xd(fractions.array().round());
    move.colwise() -= Eigen::Vector3d(move.rowwise().mean());
    GeometryDifference result;
    Eigen::Index farthest = 0;
    result.displacement_angstrom.max = move.colwise().norm().maxCoeff(&farthest);
    result.displacement_angstrom.rms = std::sqrt(move.squaredNorm() / static_cast<double>(n));
    result.farthest_atom = atom_of_row[static_cast<std::size_t>(farthest)];
    if (ours.cell.is_periodic()) {
        // Only what repeats is compared: boxes around a sheet may be of any height.
        Eigen::Matrix3d mine = ours.cell.vectors / angstrom;
        for (int k = 0; k < 3; ++k)
            if (!ours.cell.periodic[static_cast<std::size_t>(k)]) mine.col(k) = last.lattice_angstrom.col(k);
        result.strain =
            (mine * last.lattice_angstrom.inverse() - Eigen::Matrix3d::Identity()).cwiseAbs().maxCoeff();
    }
    return result;
}

TrajectorySeries series_of(const VaspRun& run) {
    if (!run.is_dynamics() || !run.settings.timestep_fs)
        throw InputError(
            fmt::format("'{}' is no dynamics (IBRION = 0 with a POTIM): it has no trajectory to compare",
                        run.file.string()));
    TrajectorySeries series;
    series.n_atoms = run.n_atoms.value_or(0);
    const auto all_have = [&](auto member) {
        return std::all_of(run.steps.begin(), run.steps.end(),
                           [&](const VaspStep& step) { return (step.*member).has_value(); });
    };
    const bool temperatures = all_have(&VaspStep::temperature_k);
    const bool conserved = all_have(&VaspStep::conserved_ev);
    for (std::size_t i = 0; i < run.steps.size(); ++i) {
        const VaspStep& step = run.steps[i];
        series.times_fs.push_back(static_cast<double>(i) * *run.settings.timestep_fs);
        if (temperatures) series.temperatures_k.push_back(*step.temperature_k);
        if (conserved) series.conserved_ev.push_back(*step.conserved_ev);
        if (!run.species.empty()) series.frames.push_back(to_structure(run, step));
    }
    return series;
}

TrajectorySummary summarise(const TrajectorySeries& series, double window_fs) {
    TrajectorySummary result;
    constexpr double tolerance_fs = 1e-6;
    const auto end = std::find_if(series.times_fs.begin(), series.times_fs.end(),
                                  [&](double time) { return time > window_fs + tolerance_fs; });
    const auto n = static_cast<std::size_t>(end - series.times_fs.begin());
    result.n_frames = static_cast<int>(n);
    if (n == 0) return result;
    result.length_fs = series.times_fs[n - 1] - series.times_fs.front();
    const auto mean = [n](const std::vector<double>& values) {
        double sum = 0;
        for (std::size_t i = 0; i < n; ++i) sum += values[i];
        return sum / static_cast<double>(n);
    };
    if (series.temperatures_k.size() >= n) result.mean_temperature_k = mean(series.temperatures_k);
    if (series.conserved_ev.size() >= n && n > 1 && series.n_atoms > 0) {
        // Least-squares slope, eV/fs = 1e6 meV/ps.
        const double time = mean(series.times_fs), energy = mean(series.conserved_ev);
        double covariance = 0, variance = 0;
        for (std::size_t i = 0; i < n; ++i) {
            covariance += (series.times_fs[i] - time) * (series.conserved_ev[i] - energy);
            variance += (series.times_fs[i] - time) * (series.times_fs[i] - time);
        }
        if (variance > 0) result.drift_mev_per_atom_per_ps = 1e6 * covariance / variance / series.n_atoms;
    }
    // Frames may be sparser than times; distances need no more than a hundred of them.
    const std::size_t frames = series.frames.size() * n / series.times_fs.size();
    const std::size_t stride = std::max<std::size_t>(1, frames / 100);
    result.distances.assign(static_cast<std::size_t>(std::lround(longest_angstrom / bin_angstrom)), 0.0);
    double atoms = 0;
    for (std::size_t i = 0; i < frames; i += stride) {
        const NeighborList neighbors(series.frames[i], longest_angstrom * angstrom);
        for (int atom = 0; atom < neighbors.n_atoms(); ++atom)
            for (const Neighbor& pair : neighbors.of(atom)) {
                const auto bin = static_cast<std::size_t>(pair.distance / angstrom / bin_angstrom);
                if (bin < result.distances.size()) result.distances[bin] += 1;
            }
        atoms += neighbors.n_atoms();
    }
    if (atoms > 0)
        for (double& count : result.distances) count /= atoms * bin_angstrom;
    return result;
}

double overlap(const std::vector<double>& a, const std::vector<double>& b) {
    double common = 0, total = 0;
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
        common += std::min(a[i], b[i]);
        total += 0.5 * (a[i] + b[i]);
    }
    return total > 0 ? common / total : 0;
}

}  // namespace stembridge::io

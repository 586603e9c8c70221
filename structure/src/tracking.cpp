// SPDX-License-Identifier: Apache-2.0
#include "stembridge/structure/tracking.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <tuple>

#include "stembridge/base/errors.hpp"
#include "stembridge/structure/completed_cell.hpp"

namespace stembridge {
namespace {

bool hydrogen(const Structure& structure, int atom) {
    return structure.atomic_numbers[static_cast<std::size_t>(atom)] == 1;
}

/// Defects made of these atoms.
Defect defect_of(const std::string& kind, std::vector<int> atoms, const Structure& structure) {
    Eigen::Vector3d sum = Eigen::Vector3d::Zero();
    for (const int atom : atoms) sum += structure.positions.col(atom);
    const Eigen::Vector3d centre = sum / static_cast<double>(atoms.size());
    return {kind, std::move(atoms), {}, centre};
}

/// Atoms that stay when those with at most one bond are removed again and again.
std::vector<bool> core_of(const BondGraph& graph, std::vector<bool> kept) {
    for (bool changed = true; changed;) {
        changed = false;
        for (int i = 0; i < graph.n_atoms(); ++i) {
            if (!kept[static_cast<std::size_t>(i)]) continue;
            const auto& around = graph.of(i);
            const auto bonds = std::count_if(around.begin(), around.end(), [&](const Neighbor& n) {
                return kept[static_cast<std::size_t>(n.j)];
            });
            if (bonds > 1) continue;
            kept[static_cast<std::size_t>(i)] = false;
            changed = true;
        }
    }
    return kept;
}

double overlap(const std::vector<int>& a, const std::vector<int>& b) {
    std::vector<int> common;
    std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(common));
    return static_cast<double>(common.size()) / static_cast<double>(std::min(a.size(), b.size()));
}

double area_of(const Ring& ring, const Structure& structure, const Eigen::Vector3d& normal) {
    const Eigen::Matrix3Xd corners = ring_positions(ring, structure);
    Eigen::Vector3d twice = Eigen::Vector3d::Zero();
    for (int k = 0; k < ring.size(); ++k)
        twice += corners.col(k).cross(Eigen::Vector3d(corners.col((k + 1) % ring.size())));
    return 0.5 * std::abs(twice.dot(normal));
}

/// Of the two ends at which a bond stands, the one where it counts.
bool counts_here(int i, int j, const std::array<int, 3>& image) {
    return i < j || (i == j && image > std::array<int, 3>{0, 0, 0});
}

}  // namespace

Structure unwrapped(const Structure& frame, const Structure& previous) {
    if (frame.atomic_numbers != previous.atomic_numbers)
        throw InputError("a frame has other atoms than the one before: it is not of the same trajectory");
    Structure result = frame;
    if (!frame.cell.is_periodic()) return result;
    const Eigen::Matrix3Xd jumps = completed(frame.cell).fractional(frame.positions - previous.positions);
    for (int axis = 0; axis < 3; ++axis)
        if (frame.cell.periodic[static_cast<std::size_t>(axis)])
            result.positions -= frame.cell.vector(axis) * jumps.row(axis).array().round().matrix();
    return result;
}

BondTracker::BondTracker(BondCriteria criteria, double break_factor)
    : criteria_(std::move(criteria)), break_factor_(break_factor) {
    if (!(break_factor >= 1))
        throw InputError("a bond must break at a larger distance than it forms: the factor is at least 1");
}

const BondGraph& BondTracker::update(double time, const Structure& frame) {
    const bool first = !graph_;
    if (first) {
        atomic_numbers_ = frame.atomic_numbers;
        bonded_.resize(static_cast<std::size_t>(frame.size()));
    } else if (frame.atomic_numbers != atomic_numbers_) {
        throw InputError("a frame has other atoms than the first: it is not of the same trajectory");
    }
    double cutoff = 0;
    for (const int a : frame.atomic_numbers)
        for (const int b : {1, a}) cutoff = std::max(cutoff, criteria_.limit(a, b));
    for (const auto& [pair, limit] : criteria_.longest) cutoff = std::max(cutoff, limit);
    std::vector<std::vector<Neighbor>> neighbors(static_cast<std::size_t>(frame.size()));
    if (frame.size() > 0) {
        const NeighborList pairs(frame, break_factor_ * cutoff);
        for (int i = 0; i < frame.size(); ++i) {
            const auto atom = static_cast<std::size_t>(i);
            auto& before = bonded_[atom];
            std::map<Key, double> now;
            for (const Neighbor& pair : pairs.of(i)) {
                const double limit = criteria_.limit(frame.atomic_numbers[atom],
                                                     frame.atomic_numbers[static_cast<std::size_t>(pair.j)]);
                const bool was = before.count({pair.j, pair.image}) != 0;
                if (pair.distance > (was ? break_factor_ * limit : limit)) continue;
                now[{pair.j, pair.image}] = pair.distance;
                neighbors[atom].push_back(pair);
                if (!first && !was && counts_here(i, pair.j, pair.image))
                    events_.push_back({time, true, i, pair.j, pair.distance});
            }
            for (const auto& [key, length] : before)
                if (counts_here(i, key.first, key.second) && now.count(key) == 0) {
                    const Eigen::Vector3d shift =
                        frame.cell.vectors * Eigen::Vector3d(key.second[0], key.second[1], key.second[2]);
                    events_.push_back(
                        {time, false, i, key.first,
                         (frame.positions.col(key.first) + shift - frame.positions.col(i)).norm()});
                }
            before = std::move(now);
        }
    }
    graph_.emplace(std::move(neighbors));
    return *graph_;
}

std::vector<Defect> find_appendages(const Structure& structure, const BondGraph& graph) {
    std::vector<Defect> result;
    const auto n = static_cast<std::size_t>(structure.size());
    std::vector<bool> on_top(n, false), heavy(n, false);
    for (const int atom : adsorbed_atoms(structure, graph)) on_top[static_cast<std::size_t>(atom)] = true;
    for (const auto& part : fragments(graph.restricted_to(on_top)))
        if (on_top[static_cast<std::size_t>(part.front())])
            result.push_back(defect_of("adatom", part, structure));

    const auto parts = fragments(graph);
    std::vector<bool> in_largest(n, false);
    if (!parts.empty())
        for (const int atom : parts.front()) in_largest[static_cast<std::size_t>(atom)] = true;
    for (int i = 0; i < structure.size(); ++i) {
        const auto atom = static_cast<std::size_t>(i);
        heavy[atom] = in_largest[atom] && !on_top[atom] && !hydrogen(structure, i);
    }
    const std::vector<bool> core = core_of(graph, heavy);
    std::vector<bool> hanging(n);
    for (std::size_t atom = 0; atom < n; ++atom) hanging[atom] = heavy[atom] && !core[atom];
    if (std::find(core.begin(), core.end(), true) != core.end())
        for (const auto& part : fragments(graph.restricted_to(hanging)))
            if (hanging[static_cast<std::size_t>(part.front())])
                result.push_back(defect_of("dangling chain", part, structure));
    for (std::size_t k = 1; k < parts.size(); ++k)
        result.push_back(defect_of("fragment", parts[k], structure));
    std::sort(result.begin(), result.end(), [](const Defect& a, const Defect& b) {
        return std::tie(a.kind, a.atoms) < std::tie(b.kind, b.atoms);
    });
    return result;
}

void DefectTracker::update(double time, const std::vector<Defect>& defects) {
    // Pairs of a defect followed so far and one of this frame, the best first, each used once.
    struct Pair {
        double overlap;
        std::size_t followed, found;
    };
    std::vector<Pair> pairs;
    for (std::size_t f = 0; f < all_.size(); ++f)
        for (std::size_t d = 0; d < defects.size(); ++d) {
            if (all_[f].missing > memory_ || all_[f].track.kind != defects[d].kind) continue;
            const double common = overlap(all_[f].track.atoms, defects[d].atoms);
            if (common >= 0.5) pairs.push_back({common, f, d});
        }
    std::stable_sort(pairs.begin(), pairs.end(),
                     [](const Pair& a, const Pair& b) { return a.overlap > b.overlap; });
    std::vector<bool> seen(all_.size(), false), known(defects.size(), false);
    for (const Pair& pair : pairs) {
        if (seen[pair.followed] || known[pair.found]) continue;
        seen[pair.followed] = known[pair.found] = true;
        DefectTrack& track = all_[pair.followed].track;
        track.last_seen = time;
        ++track.frames;
        track.atoms = defects[pair.found].atoms;
        track.centre = defects[pair.found].centre;
        all_[pair.followed].missing = 0;
    }
    std::vector<std::size_t> gone;
    for (std::size_t f = 0; f < seen.size(); ++f)
        if (!seen[f]) {
            if (all_[f].missing <= memory_) gone.push_back(f);
            ++all_[f].missing;
        }
    for (std::size_t d = 0; d < defects.size(); ++d) {
        if (known[d]) continue;
        DefectTrack track;
        track.id = static_cast<int>(all_.size()) + 1;
        track.kind = defects[d].kind;
        track.appeared = track.last_seen = time;
        track.frames = 1;
        track.from_start = !begun_;
        track.atoms = defects[d].atoms;
        track.centre = defects[d].centre;
        for (const std::size_t f : gone)
            if (!all_[f].track.became && overlap(all_[f].track.atoms, track.atoms) >= 0.5)
                all_[f].track.became = track.id;
        all_.push_back({track, 0});
    }
    begun_ = true;
}

std::vector<DefectTrack> DefectTracker::tracks() const {
    std::vector<DefectTrack> result;
    for (const Followed& followed : all_) {
        result.push_back(followed.track);
        result.back().to_end = followed.missing <= memory_;
        if (followed.missing == 0) result.back().became.reset();
    }
    return result;
}

void RingStatistics::update(double time, const Structure& frame, const std::vector<Ring>& rings) {
    ++frames_;
    for (const Ring& ring : rings) {
        const int n = ring.size();
        const Eigen::Matrix3Xd corners = ring_positions(ring, frame);
        Eigen::ArrayXd bonds(n), angles(n);
        for (int k = 0; k < n; ++k) {
            const Eigen::Vector3d next = corners.col((k + 1) % n) - corners.col(k);
            const Eigen::Vector3d back = corners.col((k + n - 1) % n) - corners.col(k);
            bonds(k) = next.norm();
            angles(k) = std::acos(std::clamp(next.dot(back) / (next.norm() * back.norm()), -1.0, 1.0));
        }
        Sums& sums = sums_[{ring.atoms, ring.images}];
        if (sums.frames == 0) {
            sums.first = time;
            sums.bonds = sums.bond_squares = sums.angles = sums.angle_squares = Eigen::ArrayXd::Zero(n);
        }
        ++sums.frames;
        sums.last = time;
        sums.bonds += bonds;
        sums.bond_squares += bonds.square();
        sums.angles += angles;
        sums.angle_squares += angles.square();
    }
}

std::vector<RingRecord> RingStatistics::records() const {
    const auto list = [](const Eigen::ArrayXd& values) {
        return std::vector<double>(values.begin(), values.end());
    };
    std::vector<RingRecord> records;
    for (const auto& [key, sums] : sums_) {
        RingRecord record;
        record.ring = {key.first, key.second};
        record.frames = sums.frames;
        record.first = sums.first;
        record.last = sums.last;
        const auto deviation = [&, n = sums.frames](const Eigen::ArrayXd& sum,
                                                    const Eigen::ArrayXd& squares) {
            return list((squares / n - (sum / n).square()).max(0).sqrt());
        };
        record.bond_means = list(sums.bonds / sums.frames);
        record.bond_deviations = deviation(sums.bonds, sums.bond_squares);
        record.angle_means = list(sums.angles / sums.frames);
        record.angle_deviations = deviation(sums.angles, sums.angle_squares);
        record.mean_bond = sums.bonds.mean() / sums.frames;
        record.mean_angle = sums.angles.mean() / sums.frames;
        records.push_back(std::move(record));
    }
    std::stable_sort(records.begin(), records.end(),
                     [](const RingRecord& a, const RingRecord& b) { return a.ring.size() < b.ring.size(); });
    return records;
}

int FrameTopology::hexagons() const {
    const auto found = ring_counts.find(6);
    return found == ring_counts.end() ? 0 : found->second;
}

double hole_area(const Structure& structure, const StructureAnalysis& analysis, int smallest) {
    double area = 0;
    for (const Ring& ring : analysis.rings)
        if (ring.size() >= smallest) area += area_of(ring, structure, analysis.normal);
    for (const Ring& hole : analysis.holes) area += area_of(hole, structure, analysis.normal);
    return area;
}

void TopologyTracker::update(double time, const Structure& frame) {
    Structure now = previous_ ? unwrapped(frame, *previous_) : frame;
    const BondGraph& graph = bonds_.update(time, now);
    const StructureAnalysis analysis = analyze(now, graph, options_);
    std::vector<Defect> found = analysis.defects;
    for (Defect& defect : find_appendages(now, graph)) found.push_back(std::move(defect));
    defects_.update(time, found);
    rings_.update(time, now, analysis.rings);

    FrameTopology topology;
    topology.time = time;
    topology.ring_counts = analysis.ring_counts;
    for (const Defect& defect : found) ++topology.defects[defect.kind];
    topology.hole_area = hole_area(now, analysis);
    topology.n_bonds = static_cast<int>(graph.bonds().size());
    topology.n_fragments = analysis.n_fragments;
    frames_.push_back(std::move(topology));
    previous_ = std::move(now);
}

}  // namespace stembridge

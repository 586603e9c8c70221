// SPDX-License-Identifier: Apache-2.0
#include "stembridge/ml/elit.hpp"

#include <algorithm>
#include <cmath>

#include "filters.hpp"
#include "stembridge/base/units.hpp"
#include "stembridge/structure/topology.hpp"

namespace stembridge::ml {
namespace {

constexpr double shortest_bond = 1.15, longest_bond = 2.0, too_close = 1.0, lonely = 2.2;  // angstrom

std::vector<Eigen::Vector2d> positions_of(const Detections& atoms) {
    std::vector<Eigen::Vector2d> positions;
    positions.reserve(atoms.size());
    for (const Detection& atom : atoms) positions.emplace_back(atom.x_angstrom, atom.y_angstrom);
    return positions;
}

/// Hexagons of the bonds, by the ring search of structure/.
int six_rings(const std::vector<Eigen::Vector2d>& positions) {
    Structure sheet;
    sheet.positions.resize(3, static_cast<Eigen::Index>(positions.size()));
    for (std::size_t i = 0; i < positions.size(); ++i)
        sheet.positions.col(static_cast<Eigen::Index>(i)) =
            Eigen::Vector3d(positions[i].x(), positions[i].y(), 0) * units::angstrom;
    sheet.atomic_numbers.assign(positions.size(), 6);
    BondCriteria criteria;
    criteria.longest[{6, 6}] = longest_bond * units::angstrom;
    int count = 0;
    for (const Ring& ring : find_rings(BondGraph(sheet, criteria), 3, 6)) count += ring.size() == 6;
    return count;
}

}  // namespace

PhysicalScore physical_score(const Detections& atoms) {
    PhysicalScore score;
    score.atoms = static_cast<int>(atoms.size());
    if (atoms.empty()) return score;
    const auto positions = positions_of(atoms);
    Eigen::Vector2d low = positions.front(), high = low;
    for (const auto& p : positions) {
        low = low.cwiseMin(p);
        high = high.cwiseMax(p);
    }
    const NeighborBins bins(positions, lonely);
    std::vector<int> near;
    int bonded = 0, threefold = 0, inner = 0, close = 0, alone = 0;
    for (std::size_t i = 0; i < positions.size(); ++i) {
        bins.within(positions[i], lonely, near);
        int bonds = 0;
        bool touching = false;
        for (const int j : near) {
            if (static_cast<std::size_t>(j) == i) continue;
            const double d = (positions[static_cast<std::size_t>(j)] - positions[i]).norm();
            touching = touching || d < too_close;
            bonds += d >= shortest_bond && d <= longest_bond;
        }
        bonded += bonds > 0;
        close += touching;
        alone += near.size() <= 1;
        // At the border of the frame neighbours are missing for no fault of anybody's.
        const bool inside =
            (positions[i] - low).minCoeff() > lonely && (high - positions[i]).minCoeff() > lonely;
        inner += inside;
        threefold += inside && bonds == 3;
    }
    const auto share = [](int part, int whole) {
        return whole > 0 ? static_cast<double>(part) / whole : 0.0;
    };
    score.bonded = share(bonded, score.atoms);
    score.threefold = share(threefold, inner);
    score.too_close = share(close, score.atoms);
    score.alone = share(alone, score.atoms);
    score.rings = share(six_rings(positions), score.atoms);
    return score;
}

PhysicalScore mean_score(const std::vector<PhysicalScore>& frames) {
    PhysicalScore mean;
    for (const PhysicalScore& frame : frames) mean.atoms += frame.atoms;
    for (const PhysicalScore& frame : frames)
        for (const auto share : {&PhysicalScore::bonded, &PhysicalScore::threefold, &PhysicalScore::too_close,
                                 &PhysicalScore::alone, &PhysicalScore::rings})
            mean.*share += frame.*share * frame.atoms / std::max(1, mean.atoms);
    return mean;
}

namespace {

/// Whether an atom is sure enough to be learnt from.
bool is_label(const Detection& atom, const FindAtomsResult& found, int members, const LabelOptions& options) {
    if (atom.atomic_number == 0 || atom.probability < options.confident || atom.votes < members) return false;
    // The Gaussian mixture on the local intensity has a say in what is Si.
    for (const Detection& other : found.baseline)
        if (std::hypot(other.x_angstrom - atom.x_angstrom, other.y_angstrom - atom.y_angstrom) < 0.5)
            return other.atomic_number == atom.atomic_number;
    // It sees no atom at all there: merged maxima of C are its weakness, Si are not.
    return atom.atomic_number == 6;
}

void hide(Pixels& trusted, double x, double y, double radius) {
    const auto first = [](double c) { return std::max<long>(0, std::lround(std::floor(c))); };
    for (long row = first(y - radius); row <= std::min<long>(trusted.rows() - 1, std::lround(y + radius));
         ++row)
        for (long column = first(x - radius);
             column <= std::min<long>(trusted.cols() - 1, std::lround(x + radius)); ++column)
            if (std::hypot(static_cast<double>(column) - x, static_cast<double>(row) - y) <= radius)
                trusted(row, column) = 0;
}

}  // namespace

Detections confident_atoms(const FindAtomsResult& found, int members, const LabelOptions& options) {
    Detections atoms;
    for (const Detection& atom : found.atoms)
        if (is_label(atom, found, members, options)) atoms.push_back(atom);
    return atoms;
}

LabelledFrame self_labelled(const Image& image, const FindAtomsResult& found, int members,
                            double grid_angstrom, const LabelOptions& options) {
    const double factor = found.calibration.scale_angstrom / grid_angstrom;
    const Pixels pixels = found.inverted ? Pixels(image.pixels.maxCoeff() - image.pixels) : image.pixels;
    LabelledFrame frame;
    const Pixels region = resample(found.region, factor);
    const Pixels sheet = resample(found.sheet(), factor);
    frame.image = normalise_frame(resample(pixels, factor), sheet);
    frame.trusted = (region > 0.5f).cast<float>();
    const double radius = options.hidden_angstrom / grid_angstrom;
    for (const Detection& atom : found.atoms) {
        const double x = factor * atom.x_px, y = factor * atom.y_px;
        if (is_label(atom, found, members, options))
            frame.atoms.emplace_back(x, y, atom.atomic_number);
        else if (atom.probability >= options.doubtful)
            hide(frame.trusted, x, y, radius);
    }
    return frame;
}

}  // namespace stembridge::ml

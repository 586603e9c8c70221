// SPDX-License-Identifier: Apache-2.0
#include "atoms_beyond_frame.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "filters.hpp"

namespace stembridge::ml {
namespace {

using Vector = Eigen::Vector2d;

constexpr double longest_bond_angstrom = 1.85, closest_angstrom = 1.0;
/// Bonds of one kind: so near, in directions that differ by less than 20 degrees, at least so many.
constexpr double nearby_angstrom = 6.0, same_direction = 0.94;
constexpr int fewest_bonds = 3;

/// Bonds between C, to look up those of one direction near a place; all in angstrom.
class Bonds {
  public:
    Bonds(const std::vector<Vector>& atoms, const std::vector<char>& carbon)
        : bonds_(between(atoms, carbon)), bins_(origins_, nearby_angstrom) {}

    /// Mean of the bonds nearby that have this direction; zero where they are too few.
    Vector mean(const Vector& place, const Vector& direction) const {
        std::vector<int> near;
        bins_.within(place, nearby_angstrom, near);
        Vector sum = Vector::Zero();
        int count = 0;
        for (const int b : near) {
            const Vector& bond = bonds_[static_cast<std::size_t>(b)];
            if (bond.dot(direction) < same_direction * bond.norm()) continue;
            sum += bond;
            ++count;
        }
        return count < fewest_bonds ? Vector(Vector::Zero()) : Vector(sum / count);
    }

  private:
    std::vector<Vector> between(const std::vector<Vector>& atoms, const std::vector<char>& carbon) {
        const NeighborBins bins(atoms, longest_bond_angstrom);
        std::vector<Vector> bonds;
        std::vector<int> near;
        for (std::size_t i = 0; i < atoms.size(); ++i) {
            if (!carbon[i]) continue;
            bins.within(atoms[i], longest_bond_angstrom, near);
            for (const int j : near) {
                if (j == static_cast<int>(i) || !carbon[static_cast<std::size_t>(j)]) continue;
                origins_.push_back(atoms[i]);
                bonds.push_back(atoms[static_cast<std::size_t>(j)] - atoms[i]);
            }
        }
        return bonds;
    }
    std::vector<Vector> origins_, bonds_;
    NeighborBins bins_;
};

/// Directions in which an atom with one or two of its three bonds lacks the others.
std::vector<Vector> open_directions(const std::vector<Vector>& bonds) {
    if (bonds.size() == 2) return {-(bonds[0].normalized() + bonds[1].normalized()).normalized()};
    if (bonds.size() != 1) return {};
    const auto turned = [&](double thirds) -> Vector {
        return Eigen::Rotation2Dd(thirds * 2 * std::numbers::pi / 3) * bonds[0].normalized();
    };
    return {turned(1), turned(-1)};
}

}  // namespace

std::vector<Vector> atoms_beyond_frame(const std::vector<Vector>& atoms, const std::vector<char>& carbon,
                                       const Eigen::Matrix2d& angstrom_per_pixel, int width, int height,
                                       double reach_angstrom) {
    const double scale = std::sqrt(std::abs(angstrom_per_pixel.determinant()));
    /// Whether a position in pixels is at least so far from the border inside.
    const auto inside = [&](const Vector& p, double depth_angstrom) {
        const double depth = depth_angstrom / scale;
        return p.x() > depth && p.y() > depth && p.x() < width - 1 - depth && p.y() < height - 1 - depth;
    };
    const Eigen::Matrix2d pixel_per_angstrom = angstrom_per_pixel.inverse();
    std::vector<Vector> sheet, beyond;
    for (const Vector& atom : atoms) sheet.push_back(angstrom_per_pixel * atom);
    const Bonds bonds(sheet, carbon);
    const auto continues = [&](std::size_t i) {
        return (i >= carbon.size() || carbon[i]) &&
               !inside(pixel_per_angstrom * sheet[i], missed_rim_angstrom + longest_bond_angstrom);
    };
    // Shell by shell; several atoms that ask for the same neighbour get it at the mean place.
    for (std::size_t known = 0; known < sheet.size();) {
        known = sheet.size();
        const NeighborBins bins(sheet, longest_bond_angstrom);
        struct Wanted {
            Vector sum;
            int count;
        };
        std::vector<Wanted> wanted;
        std::vector<int> near;
        for (std::size_t i = 0; i < known; ++i) {
            if (!continues(i)) continue;
            bins.within(sheet[i], longest_bond_angstrom, near);
            std::vector<Vector> around;
            for (const int j : near)
                if (j != static_cast<int>(i)) around.push_back(sheet[static_cast<std::size_t>(j)] - sheet[i]);
            for (const Vector& direction : open_directions(around)) {
                const Vector bond = bonds.mean(sheet[i], direction), place = sheet[i] + bond;
                const Vector pixel = pixel_per_angstrom * place;
                if (bond.isZero() || inside(pixel, missed_rim_angstrom) || !inside(pixel, -reach_angstrom))
                    continue;
                bins.within(place, closest_angstrom, near);
                if (!near.empty()) continue;
                const auto same = std::find_if(wanted.begin(), wanted.end(), [&](const Wanted& other) {
                    return (other.sum / other.count - place).norm() < closest_angstrom;
                });
                if (same == wanted.end())
                    wanted.push_back({place, 1});
                else {
                    same->sum += place;
                    ++same->count;
                }
            }
        }
        for (const Wanted& one : wanted) {
            sheet.push_back(one.sum / one.count);
            beyond.push_back(pixel_per_angstrom * sheet.back());
        }
    }
    return beyond;
}

}  // namespace stembridge::ml

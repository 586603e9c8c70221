// SPDX-License-Identifier: Apache-2.0
#include "stembridge/md/force_field.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/base/units.hpp"

namespace stembridge::md {
namespace {

constexpr int hydrogen = 1, carbon = 6, silicon = 14;

struct BondParameters {
    double rest;       // bohr
    double stiffness;  // hartree/bohr^2
};

// Lengths: C-C, C-H and C-Si of SCC-DFTB with the shipped tables, so that it has little left to do: graphene,
// edges and silicon in relaxed pieces of a real frame; Si-Si: disilane. Stiffness: optical phonons and
// stretching vibrations.
BondParameters bond_parameters(int a, int b) {
    if (a > b) std::swap(a, b);
    if (a == carbon && b == carbon) return {1.4255 * units::angstrom, 0.46};
    if (a == hydrogen && b == carbon) return {1.102 * units::angstrom, 0.33};
    if (a == carbon && b == silicon) return {1.86 * units::angstrom, 0.25};
    if (a == silicon && b == silicon) return {2.35 * units::angstrom, 0.10};
    if (a == hydrogen && b == silicon) return {1.49 * units::angstrom, 0.18};
    return {0.74 * units::angstrom, 0.36};  // H-H
}

// k of an angle's cosine, of the volume of three bonds and of the volume of a chain of bonds, hartree.
constexpr double angle_stiffness = 0.30;
constexpr double hydrogen_angle_stiffness = 0.08;
constexpr double silicon_angle_stiffness = 0.10;
constexpr double planarity_stiffness = 0.05;
// With it nanotubes cost per atom what they cost by SCC-DFTB: (8,0), (12,0), (16,0) 0.177, 0.079, 0.045 eV
// over graphene, there 0.188, 0.082, 0.045.
constexpr double torsion_stiffness = 0.0145;
constexpr double softer_with_silicon = 0.1;  // its bonds are no pi bonds

// Cosines of the angles without strain: sp2 carbon; silicon on three carbon atoms (102 degrees).
constexpr double angle_at_carbon = -0.5;
constexpr double angle_at_silicon = -0.2;

double angle_of(int centre, int a, int b) {
    if (centre == silicon || a == silicon || b == silicon) return silicon_angle_stiffness;
    return a == hydrogen || b == hydrogen ? hydrogen_angle_stiffness : angle_stiffness;
}

Eigen::Vector3d point(const InternalCoordinate& q, const Structure& structure, std::size_t k) {
    const Eigen::Vector3d shift(q.images[k][0], q.images[k][1], q.images[k][2]);
    return structure.positions.col(q.atoms[k]) + structure.cell.vectors * shift;
}

std::array<int, 3> sum(const std::array<int, 3>& a, const std::array<int, 3>& b) {
    return {a[0] + b[0], a[1] + b[1], a[2] + b[2]};
}

CoordinateValue stretch(const Eigen::Vector3d& r) {
    CoordinateValue q;
    q.value = r.norm();
    q.gradient.col(1) = r / q.value;
    q.gradient.col(0) = -q.gradient.col(1);
    return q;
}

CoordinateValue angle(const Eigen::Vector3d& a, const Eigen::Vector3d& b) {
    const Eigen::Vector3d along_a = a.normalized(), along_b = b.normalized();
    CoordinateValue q;
    q.value = along_a.dot(along_b);
    q.gradient.col(1) = (along_b - q.value * along_a) / a.norm();
    q.gradient.col(2) = (along_a - q.value * along_b) / b.norm();
    q.gradient.col(0) = -q.gradient.col(1) - q.gradient.col(2);
    return q;
}

/// a . (b x c) / scale and its derivatives by a, b, c.
struct Volume {
    double value;
    Eigen::Vector3d by_a, by_b, by_c;
    Volume(const Eigen::Vector3d& a, const Eigen::Vector3d& b, const Eigen::Vector3d& c, double scale)
        : value(a.dot(b.cross(c)) / scale),
          by_a(b.cross(c) / scale),
          by_b(c.cross(a) / scale),
          by_c(a.cross(b) / scale) {}
};

CoordinateValue planarity(const Volume& v) {
    CoordinateValue q;
    q.value = v.value;
    q.gradient << -v.by_a - v.by_b - v.by_c, v.by_a, v.by_b, v.by_c;
    return q;
}

CoordinateValue torsion(const Volume& v) {
    CoordinateValue q;
    q.value = v.value;
    q.gradient << -v.by_a, v.by_a - v.by_b, v.by_b - v.by_c, v.by_c;
    return q;
}

}  // namespace

CoordinateValue value_of(const InternalCoordinate& q, const Structure& structure) {
    const Eigen::Vector3d r0 = point(q, structure, 0), r1 = point(q, structure, 1);
    using Kind = InternalCoordinate::Kind;
    if (q.kind == Kind::stretch) return stretch(r1 - r0);
    const Eigen::Vector3d r2 = point(q, structure, 2);
    if (q.kind == Kind::angle) return angle(r1 - r0, r2 - r0);
    const Eigen::Vector3d r3 = point(q, structure, 3);
    if (q.kind == Kind::planarity) return planarity({r1 - r0, r2 - r0, r3 - r0, q.scale});
    return torsion({r1 - r0, r2 - r1, r3 - r2, q.scale});
}

bool has_bending_parameters(int atomic_number) {
    return atomic_number == hydrogen || atomic_number == carbon || atomic_number == silicon;
}

namespace {

/// Finds the angles, planes and torsions of a structure.
class Bending {
  public:
    Bending(const Structure& structure, const BondCriteria& bonds)
        : structure_(structure), graph_(structure, bonds) {
        for (int i = 0; i < structure.size(); ++i) {
            add_angles(i);
            if (is_sp2(i) && graph_.coordination(i) == 3) add_plane(i);
        }
        for (const Bond& bond : graph_.bonds())
            if (is_sp2(bond.i) && is_sp2(bond.j)) add_torsions(bond);
    }
    std::vector<InternalCoordinate> coordinates;

  private:
    int z(int atom) const { return structure_.atomic_numbers[static_cast<std::size_t>(atom)]; }
    bool known(int atom) const { return has_bending_parameters(z(atom)); }
    bool is_sp2(int atom) const { return z(atom) == carbon && graph_.coordination(atom) <= 3; }
    double softness(std::initializer_list<int> ends) const {
        const bool any = std::any_of(ends.begin(), ends.end(), [&](int atom) { return z(atom) == silicon; });
        return any ? softer_with_silicon : 1;
    }
    double rest_length(int a, int b) const { return bond_parameters(z(a), z(b)).rest; }

    void add_angles(int i) {
        const std::vector<Neighbor>& arms = graph_.of(i);
        // Four neighbours may be a tetrahedron or a cross: the bonds decide.
        if (z(i) == hydrogen || !known(i) || arms.size() > 3) return;
        for (std::size_t b = 0; b < arms.size(); ++b)
            for (std::size_t a = 0; a < b; ++a) {
                if (!known(arms[a].j) || !known(arms[b].j)) continue;
                coordinates.push_back({.kind = InternalCoordinate::Kind::angle,
                                       .n_atoms = 3,
                                       .atoms = {i, arms[a].j, arms[b].j, 0},
                                       .images = {{{0, 0, 0}, arms[a].image, arms[b].image, {0, 0, 0}}},
                                       .rest = z(i) == silicon ? angle_at_silicon : angle_at_carbon,
                                       .stiffness = angle_of(z(i), z(arms[a].j), z(arms[b].j))});
            }
    }

    void add_plane(int i) {
        const std::vector<Neighbor>& arms = graph_.of(i);
        if (!known(arms[0].j) || !known(arms[1].j) || !known(arms[2].j)) return;
        coordinates.push_back(
            {.kind = InternalCoordinate::Kind::planarity,
             .n_atoms = 4,
             .atoms = {i, arms[0].j, arms[1].j, arms[2].j},
             .images = {{{0, 0, 0}, arms[0].image, arms[1].image, arms[2].image}},
             .scale = rest_length(i, arms[0].j) * rest_length(i, arms[1].j) * rest_length(i, arms[2].j),
             .stiffness = planarity_stiffness * softness({arms[0].j, arms[1].j, arms[2].j})});
    }

    /// The chains before - i - j - after around a bond i - j.
    void add_torsions(const Bond& bond) {
        const auto [i, j] = std::pair(bond.i, bond.j);
        for (const Neighbor& before : graph_.of(i))
            for (const Neighbor& after : graph_.of(j)) {
                const std::array<int, 3> end = sum(bond.image, after.image);
                const bool goes_back =
                    (before.j == j && before.image == bond.image) || (after.j == i && end == no_image);
                const bool ring_of_three = before.j == after.j && before.image == end;
                if (goes_back || ring_of_three || !known(before.j) || !known(after.j)) continue;
                coordinates.push_back(
                    {.kind = InternalCoordinate::Kind::torsion,
                     .n_atoms = 4,
                     .atoms = {before.j, i, j, after.j},
                     .images = {{before.image, no_image, bond.image, end}},
                     .scale = rest_length(before.j, i) * rest_length(i, j) * rest_length(j, after.j),
                     .stiffness = torsion_stiffness * softness({before.j, after.j})});
            }
    }

    static constexpr std::array<int, 3> no_image = {0, 0, 0};
    const Structure& structure_;
    BondGraph graph_;
};

}  // namespace

std::vector<InternalCoordinate> bending_coordinates(const Structure& structure, const BondCriteria& bonds) {
    return Bending(structure, bonds).coordinates;
}

bool ForceField::knows(const Structure& structure) {
    return std::all_of(structure.atomic_numbers.begin(), structure.atomic_numbers.end(),
                       has_bending_parameters);
}

ForceField::ForceField(const Structure& first, const BondCriteria& bonds)
    : atomic_numbers_(first.atomic_numbers) {
    first.validate();
    for (const int z : first.atomic_numbers)
        if (!has_bending_parameters(z))
            throw InputError(fmt::format("the force field has no parameters for {}; it knows H, C and Si",
                                         element_symbol(z)));
    coordinates_ = bending_coordinates(first, bonds);
    const BondGraph graph(first, bonds);
    for (const Bond& bond : graph.bonds()) {
        // Two hydrogen atoms of an edge that came too close are not bonded.
        const bool both_hydrogen = first.atomic_numbers[static_cast<std::size_t>(bond.i)] == hydrogen &&
                                   first.atomic_numbers[static_cast<std::size_t>(bond.j)] == hydrogen;
        if (both_hydrogen && graph.coordination(bond.i) + graph.coordination(bond.j) > 2) continue;
        const auto [rest, stiffness] =
            bond_parameters(first.atomic_numbers[static_cast<std::size_t>(bond.i)],
                            first.atomic_numbers[static_cast<std::size_t>(bond.j)]);
        coordinates_.push_back({.kind = InternalCoordinate::Kind::stretch,
                                .n_atoms = 2,
                                .atoms = {bond.i, bond.j, 0, 0},
                                .images = {{{0, 0, 0}, bond.image, {0, 0, 0}, {0, 0, 0}}},
                                .rest = rest,
                                .stiffness = stiffness});
    }
}

void ForceField::evaluate(const Structure& structure, Wanted, Evaluation& out, const Context&) {
    if (structure.atomic_numbers != atomic_numbers_)
        throw InputError("the force field was made for other atoms than those of this structure");
    out = {};
    out.forces = Eigen::Matrix3Xd::Zero(3, structure.size());
    Eigen::Matrix3d by_strain = Eigen::Matrix3d::Zero();
    for (const InternalCoordinate& q : coordinates_) {
        const CoordinateValue now = value_of(q, structure);
        const double pull = q.stiffness * (now.value - q.rest);
        out.energy += 0.5 * pull * (now.value - q.rest);
        for (std::size_t k = 0; k < static_cast<std::size_t>(q.n_atoms); ++k) {
            const Eigen::Vector3d gradient = pull * now.gradient.col(static_cast<Eigen::Index>(k));
            out.forces.col(q.atoms[k]) -= gradient;
            by_strain += gradient * point(q, structure, k).transpose();
        }
    }
    out.energy_zero = out.energy;
    if (structure.cell.is_fully_periodic()) out.stress = by_strain / structure.cell.volume();
}

Wanted ForceField::offers(const Structure& structure) const {
    return {.forces = true, .stress = structure.cell.is_fully_periodic()};
}

}  // namespace stembridge::md

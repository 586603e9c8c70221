// SPDX-License-Identifier: Apache-2.0
#include "stembridge/structure/structure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/base/units.hpp"
#include "stembridge/structure/neighbor_list.hpp"

namespace stembridge {

Eigen::VectorXd Structure::masses() const {
    if (isotopes.size() != 0) return isotopes;
    Eigen::VectorXd result(size());
    for (int i = 0; i < size(); ++i) result(i) = atomic_mass(atomic_numbers[static_cast<std::size_t>(i)]);
    return result;
}

int Structure::count(int atomic_number) const {
    return static_cast<int>(std::count(atomic_numbers.begin(), atomic_numbers.end(), atomic_number));
}

std::string Structure::formula() const {
    std::map<std::string, int> counts;
    for (const int z : atomic_numbers) ++counts[element_symbol(z)];
    std::string result;
    const auto append = [&](const std::string& symbol) {
        const auto found = counts.find(symbol);
        if (found == counts.end()) return;
        result += symbol + (found->second > 1 ? std::to_string(found->second) : "");
        counts.erase(found);
    };
    append("C");
    append("H");
    while (!counts.empty()) append(counts.begin()->first);
    return result;
}

void Structure::add(int atomic_number, const Eigen::Vector3d& position) {
    atomic_numbers.push_back(atomic_number);
    positions.conservativeResize(Eigen::NoChange, size());
    positions.col(size() - 1) = position;
    if (velocities.cols() != 0) {
        velocities.conservativeResize(Eigen::NoChange, size());
        velocities.col(size() - 1).setZero();
    }
    if (isotopes.size() != 0) {
        isotopes.conservativeResize(size());
        isotopes(size() - 1) = atomic_mass(atomic_number);
    }
    if (fixed.cols() != 0) {
        fixed.conservativeResize(Eigen::NoChange, size());
        fixed.col(size() - 1).setConstant(false);
    }
}

Structure Structure::selected(const std::vector<int>& indices) const {
    Structure result;
    result.cell = cell;
    result.comment = comment;
    const auto n = static_cast<Eigen::Index>(indices.size());
    result.positions.resize(3, n);
    if (velocities.cols() != 0) result.velocities.resize(3, n);
    if (fixed.cols() != 0) result.fixed.resize(3, n);
    if (isotopes.size() != 0) result.isotopes = isotopes(indices);
    for (Eigen::Index k = 0; k < n; ++k) {
        const int i = indices[static_cast<std::size_t>(k)];
        result.atomic_numbers.push_back(atomic_numbers[static_cast<std::size_t>(i)]);
        result.positions.col(k) = positions.col(i);
        if (velocities.cols() != 0) result.velocities.col(k) = velocities.col(i);
        if (fixed.cols() != 0) result.fixed.col(k) = fixed.col(i);
    }
    return result;
}

void Structure::validate(double closest) const {
    if (positions.cols() != size())
        throw InputError(fmt::format("structure has {} atoms but {} positions", size(), positions.cols()));
    if (velocities.cols() != 0 && velocities.cols() != size())
        throw InputError(fmt::format("structure has {} atoms but {} velocities", size(), velocities.cols()));
    if (fixed.cols() != 0 && fixed.cols() != size())
        throw InputError(fmt::format("structure has {} atoms but {} fixed flags", size(), fixed.cols()));
    if (isotopes.size() != 0 && isotopes.size() != size())
        throw InputError(fmt::format("structure has {} atoms but {} masses", size(), isotopes.size()));
    if (!(isotopes.array() > 0).all() || !isotopes.allFinite())
        throw InputError("structure has a mass that is not a positive number");
    if (!positions.allFinite()) throw InputError("structure has a position that is not a finite number");
    const NeighborList pairs(*this, closest);
    for (int i = 0; i < size(); ++i)
        for (const Neighbor& pair : pairs.of(i))
            throw InputError(
                fmt::format("atoms {} ({}) and {} ({}) are {:.3f} angstrom apart: closer than {:.3f}", i + 1,
                            element_symbol(atomic_numbers[static_cast<std::size_t>(i)]), pair.j + 1,
                            element_symbol(atomic_numbers[static_cast<std::size_t>(pair.j)]),
                            pair.distance / units::angstrom, closest / units::angstrom));
}

}  // namespace stembridge

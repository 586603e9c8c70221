// SPDX-License-Identifier: Apache-2.0
#include "dispersion/tkatchenko_scheffler.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "stembridge/base/errors.hpp"

namespace stembridge::tb {
namespace {

constexpr double steepness = 20;  // d
/// Volume ratios end here: an atom without electrons has no dispersion.
constexpr double smallest_ratio = 1e-4;

/// Polarisability (bohr^3), C6 (hartree bohr^6) and van der Waals radius (bohr) of the free atoms, from
/// hydrogen on.
/// @source Tkatchenko and Scheffler (2009), supplementary material; polarisabilities and C6 mostly from Chu
/// and Dalgarno, J. Chem. Phys. 121, 4083 (2004), doi:10.1063/1.1779576
constexpr std::array<std::array<double, 3>, 36> free_atoms = {{
    {4.50, 6.50, 3.10},    {1.38, 1.46, 2.65},   {164.2, 1387.0, 4.16}, {38.0, 214.0, 4.17},
    {21.0, 99.5, 3.89},    {12.0, 46.6, 3.59},   {7.4, 24.2, 3.34},     {5.4, 15.6, 3.19},
    {3.8, 9.52, 3.04},     {2.67, 6.38, 2.91},   {162.7, 1556.0, 3.73}, {71.0, 627.0, 4.27},
    {60.0, 528.0, 4.33},   {37.0, 305.0, 4.20},  {25.0, 185.0, 4.01},   {19.6, 134.0, 3.86},
    {15.0, 94.6, 3.71},    {11.1, 64.3, 3.55},   {292.9, 3897.0, 3.71}, {160.0, 2221.0, 4.65},
    {120.0, 1383.0, 4.59}, {98.0, 1044.0, 4.51}, {84.0, 832.0, 4.44},   {78.0, 602.0, 3.99},
    {63.0, 552.0, 3.97},   {56.0, 482.0, 4.23},  {50.0, 408.0, 4.18},   {48.0, 373.0, 3.82},
    {42.0, 253.0, 3.76},   {40.0, 284.0, 4.02},  {60.0, 498.0, 4.19},   {41.0, 354.0, 4.20},
    {29.0, 246.0, 4.11},   {25.0, 210.0, 4.04},  {20.0, 162.0, 3.93},   {16.8, 129.6, 3.82},
}};

}  // namespace

void TkatchenkoScheffler::update(const Structure& structure, const Basis& basis, const Sites&) {
    constexpr double tolerance = 1e-12;  // hartree
    constexpr double largest_ratio = 2;  // what lies beyond is exact to a looser tolerance
    neutral_ = basis.atoms_from_shells(basis.neutral_shells());
    types_.clear();
    for (int i = 0; i < basis.n_atoms(); ++i) types_.push_back(basis.element_index(i));
    radius_.clear();
    std::vector<std::array<double, 3>> atoms;
    for (const ElementData& e : basis.elements()) {
        if (e.atomic_number < 1 || e.atomic_number > static_cast<int>(free_atoms.size()))
            throw UnsupportedError(fmt::format(
                "dispersion model \"ts\" has no values of the free atom for {}; it knows H to Kr", e.symbol));
        if (e.n_electrons() <= 0)
            throw UnsupportedError(fmt::format(
                "dispersion model \"ts\" needs valence electrons, and {} has none in its tables", e.symbol));
        atoms.push_back(free_atoms[static_cast<std::size_t>(e.atomic_number - 1)]);
        radius_.push_back(atoms.back()[2]);
    }
    // C6_ab = 2 C_a C_b / (p_b / p_a C_a + p_a / p_b C_b)
    const auto n = static_cast<Eigen::Index>(atoms.size());
    c6_.resize(n, n);
    double range = 1;
    for (Eigen::Index a = 0; a < n; ++a)
        for (Eigen::Index b = 0; b < n; ++b) {
            const auto& [pa, ca, ra] = atoms[static_cast<std::size_t>(a)];
            const auto& [pb, cb, rb] = atoms[static_cast<std::size_t>(b)];
            c6_(a, b) = 2 * ca * cb / (pb / pa * ca + pa / pb * cb);
            const double reach = scaling_ * std::cbrt(largest_ratio) * (ra + rb);
            const double excess = largest_ratio * largest_ratio * c6_(a, b) / std::pow(reach, 6) / tolerance;
            range = std::max(range, reach * (1 + std::log(std::max(1.0, excess)) / steepness));
        }
    sum_.emplace(structure, types_, c6_, tolerance);
    matrix_ = sum_->matrix();
    near_.emplace(structure, range);
}

Eigen::VectorXd TkatchenkoScheffler::ratios(const Eigen::VectorXd& on_site) const {
    return on_site.cwiseQuotient(neutral_).cwiseMax(smallest_ratio);
}

TkatchenkoScheffler::Damped TkatchenkoScheffler::damped(int i, int j, double r,
                                                        const Eigen::VectorXd& v) const {
    const double ri = radius_[type(i)] * std::cbrt(v(i)), rj = radius_[type(j)] * std::cbrt(v(j));
    const double reach = scaling_ * (ri + rj), y = steepness * (r / reach - 1);
    // 1 - f = 1 / (1 + exp(y)),  df/dy = f (1 - f)
    const double rest = 1 / (1 + std::exp(y)), df = rest * (1 - rest);
    const double far = v(i) * v(j) *
                       c6_(static_cast<Eigen::Index>(type(i)), static_cast<Eigen::Index>(type(j))) /
                       std::pow(r, 6);
    // dy/dR = d / reach,  dy/dv_i = -d R / reach^2 s_R R_i / 3 v_i
    const double by_radius = far * df * steepness * r / (reach * reach) * scaling_ / 3;
    return {far * rest, -6 * far * rest / r - far * df * steepness / reach,
            (far * rest + by_radius * ri) / v(i)};
}

double TkatchenkoScheffler::energy(const Charges& charges) const {
    const Eigen::VectorXd v = ratios(charges.on_site);
    double energy = -0.5 * v.dot(matrix_ * v);
    for (int i = 0; i < near_->n_atoms(); ++i)
        for (const Neighbor& p : near_->of(i)) energy += 0.5 * damped(i, p.j, p.distance, v).value;
    return energy;
}

void TkatchenkoScheffler::add_potential(const Charges& charges, Charges& potential) const {
    const Eigen::VectorXd v = ratios(charges.on_site);
    Eigen::VectorXd slope = -matrix_ * v;  // dE/dv
    // Each pair stands twice in the list, once from either side.
#pragma omp parallel for schedule(static)
    for (int i = 0; i < near_->n_atoms(); ++i)
        for (const Neighbor& p : near_->of(i)) slope(i) += damped(i, p.j, p.distance, v).by_ratio;
    for (Eigen::Index i = 0; i < v.size(); ++i)
        if (v(i) > smallest_ratio) potential.on_site(i) += slope(i) / neutral_(i);
}

void TkatchenkoScheffler::add_forces(const Charges& charges, Eigen::Matrix3Xd& forces) const {
    const Eigen::VectorXd v = ratios(charges.on_site);
    sum_->add_forces(v, forces);
#pragma omp parallel for schedule(static)
    for (int i = 0; i < near_->n_atoms(); ++i)
        for (const Neighbor& p : near_->of(i))
            forces.col(i) += damped(i, p.j, p.distance, v).slope / p.distance * p.r_ij;
}

void TkatchenkoScheffler::add_stress(const Charges& charges, Eigen::Matrix3d& strain_derivative) const {
    const Eigen::VectorXd v = ratios(charges.on_site);
    sum_->add_stress(v, strain_derivative);
    for (int i = 0; i < near_->n_atoms(); ++i)
        for (const Neighbor& p : near_->of(i))
            strain_derivative +=
                0.5 * damped(i, p.j, p.distance, v).slope / p.distance * p.r_ij * p.r_ij.transpose();
}

}  // namespace stembridge::tb

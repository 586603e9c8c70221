// SPDX-License-Identifier: Apache-2.0
#include "synthetic.hpp"

#include <fmt/format.h>

#include <cmath>
#include <fstream>

#include "stembridge/base/units.hpp"

namespace stembridge::testing {
namespace {

struct Element {
    const char* symbol;
    int l_max;
    double onsite[3], hubbard[3], occupation[3];
    double decay;  // of the orbitals, 1/bohr
};

constexpr Element elements[] = {
    {"H", 0, {-0.24, 0, 0}, {0.42, 0, 0}, {1, 0, 0}, 0.9},
    {"C", 1, {-0.50, -0.19, 0}, {0.40, 0.36, 0}, {2, 2, 0}, 0.8},
    {"Si", 2, {-0.40, -0.15, 0.20}, {0.30, 0.25, 0.20}, {2, 2, 0}, 0.7},
};

/// A smooth integral of the shells l1 of a and l2 of b: its size and sign depend on everything.
double overlap(const Element& a, const Element& b, int l1, int l2, int m, double r) {
    if (l1 > a.l_max || l2 > b.l_max) return 0;
    const double size = 0.9 / (1 + 0.5 * (l1 + l2) + m) * ((l1 + m) % 2 == 0 ? 1 : -1);
    return size * (0.3 + 0.4 * r) * std::exp(-(a.decay + b.decay) / 2 * r * (1 + 0.1 * (l2 - l1)));
}

double hamiltonian(const Element& a, const Element& b, int l1, int l2, int m, double r) {
    return overlap(a, b, l1, l2, m, r) * (0.8 * (a.onsite[l1] + b.onsite[l2]) - 0.1 * std::exp(-0.3 * r));
}

void write_pair(const std::filesystem::path& file, const Element& a, const Element& b) {
    constexpr double spacing = 0.05;
    constexpr int n_grid = 161;
    std::ofstream out(file);
    out << fmt::format("{}, {}\n", spacing, n_grid);
    const bool same = a.symbol == b.symbol;
    if (same) {
        for (int l = 2; l >= 0; --l) out << fmt::format("{} ", a.onsite[l]);
        out << "0.0 ";
        for (int l = 2; l >= 0; --l) out << fmt::format("{} ", a.hubbard[l]);
        for (int l = 2; l >= 0; --l) out << fmt::format("{} ", a.occupation[l]);
        out << "\n";
    }
    // Pairs with hydrogen repel by a polynomial, the others by a spline.
    const bool hydrogen = a.l_max == 0 || b.l_max == 0;
    out << (hydrogen ? "1.0 0.0 0.02 0.01 5*0.0 3.5 10*0.0\n" : "1.0 19*0.0\n");
    for (int row = 1; row < n_grid; ++row) {
        for (const auto integral : {hamiltonian, overlap})
            for (int l1 = 2; l1 >= 0; --l1)
                for (int l2 = 2; l2 >= l1; --l2)
                    for (int m = 0; m <= l1; ++m)
                        out << fmt::format("{:.17e} ", integral(a, b, l1, l2, m, row * spacing));
        out << "\n";
    }
    if (hydrogen) return;
    // 0.03 (5 - r)^3, cut into three pieces, with an exponential below 1 bohr.
    constexpr double cutoff = 5, strength = 0.03;
    const double knots[] = {1, 2.5, 3.7, cutoff};
    const double x0 = cutoff - knots[0], v = strength * x0 * x0 * x0, v1 = -3 * strength * x0 * x0,
                 v2 = 6 * strength * x0;
    const double a1 = -v2 / v1, a2 = std::log(-v1 / a1) + a1 * knots[0],
                 a3 = v - std::exp(-a1 * knots[0] + a2);
    out << fmt::format("Spline\n3 {}\n{:.17e} {:.17e} {:.17e}\n", cutoff, a1, a2, a3);
    for (int k = 0; k < 3; ++k) {
        const double x = cutoff - knots[k];
        out << fmt::format("{} {} {:.17e} {:.17e} {:.17e} {:.17e}{}\n", knots[k], knots[k + 1],
                           strength * x * x * x, -3 * strength * x * x, 3 * strength * x, -strength,
                           k == 2 ? " 0.0 0.0" : "");
    }
}

}  // namespace

void write_synthetic_set(const std::filesystem::path& folder) {
    for (const Element& a : elements)
        for (const Element& b : elements)
            write_pair(folder / fmt::format("{}-{}.skf", a.symbol, b.symbol), a, b);
}

tb::SccDftbOptions synthetic_options(const std::filesystem::path& folder, double temperature_k) {
    tb::SccDftbOptions options;
    options.parameters = {folder};
    options.electronic_temperature = temperature_k * units::kelvin;
    options.scc.tolerance = 1e-11;
    return options;
}

Structure molecule() {
    Structure s;
    s.add(6, {0.1, -0.2, 0.3});
    s.add(6, {2.5, 0.3, -0.4});
    s.add(14, {4.2, 2.9, 0.8});
    s.add(1, {-1.1, 1.4, 0.9});
    s.add(1, {3.4, -1.3, 1.2});
    return s;
}

Structure crystal() {
    Structure s = molecule();
    s.cell.vectors.col(0) << 7.9, 0.2, -0.3;
    s.cell.vectors.col(1) << 1.1, 7.1, 0.4;
    s.cell.vectors.col(2) << -0.6, 0.9, 6.2;
    s.cell.periodic = {true, true, true};
    return s;
}

}  // namespace stembridge::testing

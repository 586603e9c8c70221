// SPDX-License-Identifier: Apache-2.0
#include "stembridge/dft/skf_writer.hpp"

#include <fmt/format.h>

#include <cmath>
#include <system_error>

#include "stembridge/base/errors.hpp"
#include "whole_file.hpp"

namespace stembridge::dft {
namespace fs = std::filesystem;

namespace {

/// Shortest text that has 11 decimals.
std::string number(double x) {
    if (!std::isfinite(x)) throw InputError(fmt::format("a Slater-Koster table cannot hold {}", x));
    std::string text = fmt::format("{:.11f}", x);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text += '0';
    return text == "-0.0" ? "0.0" : text;
}

/// Numbers of a line; repeated ones as "5*0.0".
std::string line(const std::vector<double>& values) {
    std::string text;
    for (std::size_t k = 0; k < values.size();) {
        const std::string value = number(values[k]);
        std::size_t repeats = 1;
        while (k + repeats < values.size() && number(values[k + repeats]) == value) ++repeats;
        if (!text.empty()) text += ' ';
        text += repeats > 1 ? fmt::format("{}*{}", repeats, value) : value;
        k += repeats;
    }
    return text + '\n';
}

std::string spline_block(const tb::SkfRepulsive& repulsive) {
    const auto& intervals = repulsive.intervals();
    const auto& [a1, a2, a3] = repulsive.head();
    std::string text = fmt::format("Spline\n{} {:.12g}\n{:.15g} {:.15g} {:.15g}\n", intervals.size(),
                                   repulsive.cutoff(), a1, a2, a3);
    for (std::size_t k = 0; k < intervals.size(); ++k) {
        text += fmt::format("{:.12g} {:.12g}", intervals[k].begin, intervals[k].end);
        const std::size_t order = k + 1 == intervals.size() ? 6 : 4;
        for (std::size_t i = 0; i < order; ++i) text += fmt::format(" {:.13g}", intervals[k].c[i]);
        text += '\n';
    }
    return text;
}

}  // namespace

std::string skf_text(const tb::SkfTable& table, double spin_polarization, const std::string& documentation) {
    const int l_max = table.extended ? 3 : 2;
    std::string text = table.extended ? "@\n" : "";
    text += fmt::format("{} {}\n", table.spacing, table.n_rows + 1);
    if (table.atom) {
        std::vector<double> energies, hubbard, occupations;
        for (int l = l_max; l >= 0; --l) {
            const tb::SkfShell& shell = (*table.atom)[static_cast<std::size_t>(l)];
            energies.push_back(shell.onsite_energy);
            hubbard.push_back(shell.hubbard);
            occupations.push_back(shell.occupation);
        }
        energies.push_back(spin_polarization);
        energies.insert(energies.end(), hubbard.begin(), hubbard.end());
        energies.insert(energies.end(), occupations.begin(), occupations.end());
        text += line(energies);
    }
    // The repulsive energy stands in the spline block, so the polynomial is zero.
    std::vector<double> second(20, 0.0);
    second[0] = table.mass_dalton;
    text += line(second);

    std::vector<double> values;
    for (int row = 1; row <= table.n_rows; ++row) {
        values.clear();
        for (const bool overlap : {false, true})
            for (int l1 = l_max; l1 >= 0; --l1)
                for (int l2 = l_max; l2 >= l1; --l2)
                    for (int m = 0; m <= l1; ++m)
                        values.push_back(overlap ? table.overlap(row, l1, l2, m)
                                                 : table.hamiltonian(row, l1, l2, m));
        if (!table.extended)
            for (int l1 = 0; l1 <= 3; ++l1)
                for (int m = 0; m <= l1; ++m)
                    if (table.hamiltonian(row, l1, 3, m) != 0 || table.overlap(row, l1, 3, m) != 0)
                        throw InputError("f shells need the extended Slater-Koster format");
        text += line(values);
    }
    if (table.repulsive.is_spline()) text += spline_block(table.repulsive);
    text += "<Documentation>\n" + documentation;
    if (!documentation.empty() && documentation.back() != '\n') text += '\n';
    return text + "</Documentation>\n";
}

void write_skf(const fs::path& path, const tb::SkfTable& table, double spin_polarization,
               const std::string& documentation) {
    write_whole_file(path, skf_text(table, spin_polarization, documentation));
}

}  // namespace stembridge::dft

// SPDX-License-Identifier: Apache-2.0
#include "stembridge/base/elements.hpp"

#include <fmt/format.h>

#include <array>

#include "stembridge/base/errors.hpp"
#include "stembridge/base/units.hpp"

namespace stembridge {
namespace {

struct Element {
    std::string symbol;
    double mass_dalton;
    double covalent_radius_pm;
};

const std::array<Element, 94>& table() {
    static const std::array<Element, 94> elements = {{
        {"H", 1.008, 31},    {"He", 4.0026, 28},  {"Li", 6.94, 128},   {"Be", 9.0122, 96},
        {"B", 10.81, 84},    {"C", 12.011, 76},   {"N", 14.007, 71},   {"O", 15.999, 66},
        {"F", 18.998, 57},   {"Ne", 20.180, 58},  {"Na", 22.990, 166}, {"Mg", 24.305, 141},
        {"Al", 26.982, 121}, {"Si", 28.085, 111}, {"P", 30.974, 107},  {"S", 32.06, 105},
        {"Cl", 35.45, 102},  {"Ar", 39.95, 106},  {"K", 39.098, 203},  {"Ca", 40.078, 176},
        {"Sc", 44.956, 170}, {"Ti", 47.867, 160}, {"V", 50.942, 153},  {"Cr", 51.996, 139},
        {"Mn", 54.938, 139}, {"Fe", 55.845, 132}, {"Co", 58.933, 126}, {"Ni", 58.693, 124},
        {"Cu", 63.546, 132}, {"Zn", 65.38, 122},  {"Ga", 69.723, 122}, {"Ge", 72.630, 120},
        {"As", 74.922, 119}, {"Se", 78.971, 120}, {"Br", 79.904, 120}, {"Kr", 83.798, 116},
        {"Rb", 85.468, 220}, {"Sr", 87.62, 195},  {"Y", 88.906, 190},  {"Zr", 91.224, 175},
        {"Nb", 92.906, 164}, {"Mo", 95.95, 154},  {"Tc", 97.0, 147},   {"Ru", 101.07, 146},
        {"Rh", 102.91, 142}, {"Pd", 106.42, 139}, {"Ag", 107.87, 145}, {"Cd", 112.41, 144},
        {"In", 114.82, 142}, {"Sn", 118.71, 139}, {"Sb", 121.76, 139}, {"Te", 127.60, 138},
        {"I", 126.90, 139},  {"Xe", 131.29, 140}, {"Cs", 132.91, 244}, {"Ba", 137.33, 215},
        {"La", 138.91, 207}, {"Ce", 140.12, 204}, {"Pr", 140.91, 203}, {"Nd", 144.24, 201},
        {"Pm", 145.0, 199},  {"Sm", 150.36, 198}, {"Eu", 151.96, 198}, {"Gd", 157.25, 196},
        {"Tb", 158.93, 194}, {"Dy", 162.50, 192}, {"Ho", 164.93, 192}, {"Er", 167.26, 189},
        {"Tm", 168.93, 190}, {"Yb", 173.05, 187}, {"Lu", 174.97, 187}, {"Hf", 178.49, 175},
        {"Ta", 180.95, 170}, {"W", 183.84, 162},  {"Re", 186.21, 151}, {"Os", 190.23, 144},
        {"Ir", 192.22, 141}, {"Pt", 195.08, 136}, {"Au", 196.97, 136}, {"Hg", 200.59, 132},
        {"Tl", 204.38, 145}, {"Pb", 207.2, 146},  {"Bi", 208.98, 148}, {"Po", 209.0, 140},
        {"At", 210.0, 150},  {"Rn", 222.0, 150},  {"Fr", 223.0, 260},  {"Ra", 226.0, 221},
        {"Ac", 227.0, 215},  {"Th", 232.04, 206}, {"Pa", 231.04, 200}, {"U", 238.03, 196},
        {"Np", 237.0, 190},  {"Pu", 244.0, 187},
    }};
    return elements;
}

const Element& element(int atomic_number) {
    if (atomic_number < 1 || atomic_number > static_cast<int>(table().size()))
        throw InputError(fmt::format("atomic number {} is outside 1..{}", atomic_number, table().size()));
    return table()[static_cast<std::size_t>(atomic_number - 1)];
}

}  // namespace

const std::string& element_symbol(int atomic_number) {
    return element(atomic_number).symbol;
}

int atomic_number(std::string_view symbol) {
    for (std::size_t i = 0; i < table().size(); ++i)
        if (table()[i].symbol == symbol) return static_cast<int>(i) + 1;
    throw InputError(
        fmt::format("unknown element '{}'; accepted are symbols from H to Pu, as in \"Si\"", symbol));
}

double atomic_mass(int atomic_number) {
    return element(atomic_number).mass_dalton * units::dalton;
}

double covalent_radius(int atomic_number) {
    return element(atomic_number).covalent_radius_pm * 0.01 * units::angstrom;
}

}  // namespace stembridge

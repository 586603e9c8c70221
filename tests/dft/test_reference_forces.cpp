// SPDX-License-Identifier: Apache-2.0
// Forces of the shipped set, each group kept out of the fit, beside those of published sets on the same
// structures.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "stembridge/base/errors.hpp"
#include "stembridge/base/units.hpp"
#include "stembridge/dft/reference_data.hpp"
#include "stembridge/tb/scc_dftb.hpp"
#include "support/support.hpp"

using namespace stembridge;

namespace {

std::filesystem::path shipped() {
    return stembridge::testing::source_folder() / "data" / "parameters" / "stembridge-1";
}

/// Sum of squares and number of force components.
struct Sum {
    double squares = 0;
    double count = 0;
    double rms() const { return std::sqrt(squares / count); }
};

std::vector<dft::ReferenceStructure> references() {
    std::vector<dft::ReferenceStructure> all;
    for (const char* file : {"molecules.extxyz", "periodic.extxyz"})
        for (auto& s : dft::read_reference_structures(shipped() / "reference" / file)) all.push_back(s);
    return all;
}

tb::SccDftbOptions options_for(const dft::ReferenceStructure& s, const std::filesystem::path& parameters) {
    tb::SccDftbOptions o;
    o.parameters = {parameters};
    o.electronic_temperature = std::max(s.electronic_temperature, 300 * units::kelvin);
    o.kpoints.divisions = s.kpoints;
    return o;
}

/// Errors of a set by group, for molecules or periodic structures of the wanted elements without spin.
std::map<std::string, Sum> errors_of(const std::filesystem::path& parameters, const std::set<int>& elements,
                                     bool periodic) {
    std::map<std::string, Sum> groups;
    for (const dft::ReferenceStructure& s : references()) {
        const auto& z = s.structure.atomic_numbers;
        if (s.spin_polarized || s.structure.size() < 2 || s.structure.cell.is_periodic() != periodic ||
            std::any_of(z.begin(), z.end(), [&](int x) { return elements.count(x) == 0; }))
            continue;
        Evaluation out;
        tb::make_scc_dftb(options_for(s, parameters))->evaluate(s.structure, {true, false}, out, {});
        groups[s.group].squares += (out.forces - s.forces).squaredNorm();
        groups[s.group].count += static_cast<double>(out.forces.size());
    }
    return groups;
}

/// Errors by group with the group kept out of the fit, as make-parameters wrote them.
std::map<std::string, Sum> kept_out() {
    std::map<std::string, Sum> groups;
    std::ifstream stream(shipped() / "errors.csv");
    std::string line;
    std::getline(stream, line);
    std::vector<std::string> names;
    std::istringstream header(line);
    for (std::string word; std::getline(header, word, ',');) names.push_back(word);
    while (std::getline(stream, line)) {
        std::istringstream words(line);
        std::map<std::string, std::string> row;
        for (const std::string& name : names) std::getline(words, row[name], ',');
        const double n = 3 * std::stod(row["n_atoms"]),
                     rms = std::stod(row["kept_out_force_rms_hartree_per_bohr"]);
        groups[row["group"]].squares += n * rms * rms;
        groups[row["group"]].count += n;
    }
    return groups;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_reference_forces)

BOOST_AUTO_TEST_CASE(forces_of_hydrocarbons_are_as_good_as_those_of_mio) {
    STEMBRIDGE_REQUIRE_REFERENCE(reference);
    const auto mio = errors_of(reference / "skf" / "mio-1-1", {1, 6}, false);
    const auto out = kept_out();
    BOOST_TEST(mio.size() > 10u);
    for (const auto& [group, sum] : mio) {
        BOOST_TEST_MESSAGE(group << ": kept out " << out.at(group).rms() << ", mio-1-1 " << sum.rms());
        BOOST_TEST(out.at(group).rms() < 1.2 * sum.rms(), group);
    }
}

// Sheets of dynamics at 300 and 2000 K are below 0.01 hartree/bohr. Those called rat2000 (uncorrelated
// displacements of 0.11 angstrom, bonds from 1.0 to 1.8 angstrom, 0.7 to 1.2 eV per atom above the flat one,
// several times the thermal energy of 2000 K) are better than with pbc-0-3 but beyond 0.01 for any pair
// potential that keeps C-H molecules near mio-1-1 (lower bound in the README of the set).
BOOST_AUTO_TEST_CASE(forces_of_sheets_are_better_than_those_of_pbc) {
    STEMBRIDGE_REQUIRE_REFERENCE(reference);
    const auto pbc = errors_of(reference / "skf" / "pbc-0-3", {1, 6, 14}, true);
    const auto out = kept_out();
    for (const char* group : {"g44_rat300", "g44_rat2000", "g44_md300", "g44_md2000", "g44_vac", "g55_SW",
                              "g44_Si", "g44_H", "g44_CHx"}) {
        BOOST_TEST_MESSAGE(group << ": kept out " << out.at(group).rms() << ", pbc-0-3 "
                                 << pbc.at(group).rms());
        BOOST_TEST(out.at(group).rms() < pbc.at(group).rms(), group);
    }
    for (const char* group : {"g44_rat300", "g44_md300", "g44_md2000"})
        BOOST_TEST(out.at(group).rms() < 0.01, group);
}

BOOST_AUTO_TEST_SUITE_END()

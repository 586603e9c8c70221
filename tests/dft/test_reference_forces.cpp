// SPDX-License-Identifier: Apache-2.0
// Forces of the shipped set, each group kept out of the fit, beside those of published sets on the same
// structures.
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

/// Errors of a set by group, for structures of the wanted elements that are not spin-polarised.
std::map<std::string, Sum> errors_of(const std::filesystem::path& parameters, const std::set<int>& elements) {
    std::map<std::string, Sum> groups;
    for (const dft::ReferenceStructure& s : references()) {
        const auto& z = s.structure.atomic_numbers;
        if (s.spin_polarized || s.structure.size() < 2 ||
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
        const double n = 3 * std::stod(row["n_atoms"]), rms = std::stod(row["kept_out_force_rms_hartree_per_bohr"]);
        groups[row["group"]].squares += n * rms * rms;
        groups[row["group"]].count += n;
    }
    return groups;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_reference_forces)

BOOST_AUTO_TEST_CASE(forces_beside_published_sets) {
    STEMBRIDGE_REQUIRE_REFERENCE(reference);
    const auto mio = errors_of(reference / "skf" / "mio-1-1", {1, 6});
    const auto pbc = errors_of(reference / "skf" / "pbc-0-3", {1, 6, 14});
    const auto own = errors_of(shipped(), {1, 6, 14});
    const auto out = kept_out();
    for (const auto& [group, sum] : own) {
        const auto show = [&, name = group](const auto& which) {
            const auto found = which.find(name);
            return found == which.end() ? 0.0 : found->second.rms();
        };
        BOOST_TEST_MESSAGE(group << ": kept out " << show(out) << ", own " << sum.rms() << ", mio " << show(mio)
                                 << ", pbc " << show(pbc));
    }
    BOOST_TEST(own.size() > 10u);
}

BOOST_AUTO_TEST_SUITE_END()

// SPDX-License-Identifier: Apache-2.0
// What the report shows of a study of adsorption: of a real one, and of files as they can be left behind.
#include <fmt/format.h>
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "run_program.hpp"
#include "stembridge/base/units.hpp"
#include "stembridge/io/structure_file.hpp"
#include "stembridge/io/text_file.hpp"
#include "stembridge/structure/adsorption.hpp"
#include "stembridge/structure/builders.hpp"

using namespace stembridge;
using namespace stembridge::testing;
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

/// C24H12.
Structure coronene() {
    BuildReport report;
    return terminate_with_hydrogen(graphene_flake(4.5 * units::angstrom), {}, report).structure;
}

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t n = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
    return n;
}

/// A run folder with the files of a study of adsorption, written here.
struct StudyFolder {
    TemporaryFolder folder;
    fs::path run = folder.path();
    fs::path study = run / "5-adsorb";
    Structure sheet = coronene();

    StudyFolder() {
        folder.write("config.resolved.toml", "[run]\nname = \"adatoms\"\n");
        fs::create_directories(study / "sheet");
        io::write_structure(study / "sheet" / "start.extxyz", sheet);
        io::write_structure(study / "sheet" / "relaxed.extxyz", sheet);
    }

    /// A site's entry in adsorption.json; with a binding energy its relaxed structure too.
    json job(const std::string& species, const std::string& kind, const json& binding_ev,
             const std::string& status = "done") const {
        SiteOptions options;
        options.kinds = {kind};
        const AdsorptionSite site = adsorption_sites(sheet, options).front();
        const std::string name = species + "-01-" + kind;
        const Structure placed = with_adsorbate(sheet, site, species, natural_height(sheet, site, species));
        for (const char* file : {"start.extxyz", "relaxed.extxyz"}) {
            if (status != "done" && std::string(file) == "relaxed.extxyz") continue;
            fs::create_directories(study / "sites" / name);
            io::write_structure(study / "sites" / name / file, placed);
        }
        json entry = {{"name", name},
                      {"species", species},
                      {"site", site.name()},
                      {"kind", kind},
                      {"position_angstrom",
                       {site.position(0) / units::angstrom, site.position(1) / units::angstrom, 0.0}},
                      {"multiplicity", site.multiplicity},
                      {"status", status}};
        if (status == "done") {
            entry["binding_energy_ev"] = binding_ev;
            entry["moment"] = 3.5;
            entry["place"] = {{"site", site.name()}, {"height_angstrom", 1.64}, {"nearest_angstrom", 2.165}};
        } else {
            entry["error"] = "no convergence <after> 200 cycles";
        }
        return entry;
    }

    std::string page(const json& content) const {
        io::write_text_atomically(study / "adsorption.json", content.dump());
        const Outcome outcome = run_program({"report", run.string()});
        BOOST_REQUIRE_MESSAGE(outcome.status == 0, outcome.output);
        return io::read_text(run / "report" / "index.html");
    }
    json numbers() const { return json::parse(io::read_text(run / "report" / "report.json"))["adsorption"]; }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(test_adsorption_report)

BOOST_AUTO_TEST_CASE(a_run_with_adsorbates_ends_with_its_report) {
    const TemporaryFolder folder;
    io::write_structure(folder.path() / "flake.extxyz", coronene());
    const std::string config =
        folder
            .write("run.toml",
                   "[run]\nfolder = \"run\"\nthreads = 1\nstages = [\"build\", \"adsorb\", \"report\"]\n"
                   "[build]\nstructure = \"flake.extxyz\"\nterminate = \"none\"\n"
                   "[relax]\nmax_force = \"0.2 eV/angstrom\"\n"
                   "[adsorb]\nspecies = \"H\"\nsites = [\"top\"]\nradius = \"1.6 angstrom\"\n")
            .string();
    const Outcome outcome = run_program({"run", config});
    BOOST_REQUIRE_MESSAGE(outcome.status == 0, outcome.output);
    const json study = json::parse(io::read_text(folder.path() / "run/5-adsorb/adsorption.json"));
    BOOST_TEST(json::parse(io::read_text(folder.path() / "run/report/report.json"))["adsorption"] == study);
    const std::string page = io::read_text(folder.path() / "run/report/index.html");
    const std::string energy = fmt::format("{:+.3f}", study["jobs"][0]["binding_energy_ev"].get<double>());
    for (const std::string& text : {std::string("<section id=\"adsorption\">"), energy,
                                    std::string("H alone is lowest with 1 unpaired electrons."),
                                    std::string("figure-sites-H"), std::string("figure-bound-H")})
        BOOST_TEST(count(page, text) > 0u, text);
}

BOOST_AUTO_TEST_CASE(every_species_site_and_failure_is_on_the_page) {
    const StudyFolder folder;
    const json study = {
        {"spin_polarized", true},
        {"alone",
         {{"Cr", {{"energy_zero_hartree", -1.5}, {"unpaired", 6}}},
          {"CH3", {{"energy_zero_hartree", -2.5}, {"unpaired", 1}}}}},
        {"jobs",
         {folder.job("Cr", "hollow", 0.312), folder.job("Cr", "bridge", 0.275),
          folder.job("Cr", "top", nullptr, "not converged"), folder.job("CH3", "top", 0.661)}}};
    const std::string page = folder.page(study);
    BOOST_TEST(folder.numbers() == study);
    BOOST_TEST(count(page, "Cr alone is lowest with 6 unpaired electrons.") == 1u);
    BOOST_TEST(count(page, "CH3 alone is lowest with 1 unpaired electrons.") == 1u);
    for (const char* energy : {"<td class=\"number\">+0.312</td>", "<td class=\"number\">+0.275</td>",
                               "<td class=\"number\">+0.661</td>", "<td class=\"number\">not converged</td>"})
        BOOST_TEST(count(page, energy) == 1u, energy);
    BOOST_TEST(count(page, "3. Cr-01-top: no convergence &lt;after&gt; 200 cycles") == 1u);
    BOOST_TEST(count(page, "positive = bound") >= 3u);
    // Of each species a picture of its sites, and one of the strongest bound: of Cr that is the hollow site.
    for (const char* figure : {"figure-sites-Cr", "figure-sites-CH3", "figure-bound-Cr", "figure-bound-CH3"})
        BOOST_TEST(count(page, figure) == 1u, figure);
    BOOST_TEST(count(page, "E_bind = +0.312 eV") == 1u);
    BOOST_TEST(count(page, "E_bind = +0.275 eV") == 0u);
}

BOOST_AUTO_TEST_CASE(a_study_without_energies_shows_where_it_stands) {
    // Starts alone, nothing relaxed: no reference of the adsorbate either.
    const StudyFolder starts;
    json start = starts.job("Cr", "hollow", nullptr, "not relaxed");
    start.erase("error");
    std::string page = starts.page({{"spin_polarized", true}, {"jobs", json::array({start})}});
    BOOST_TEST(count(page, "<td class=\"number\">not relaxed</td>") == 1u);
    BOOST_TEST(count(page, "alone is lowest") == 0u);
    BOOST_TEST(count(page, "figure-sites-Cr") == 1u);
    BOOST_TEST(count(page, "figure-bound-Cr") == 0u);

    // Without spin no number of unpaired electrons is known; an energy that is no number (a calculator
    // without an energy at zero electronic temperature) is null in the file.
    const StudyFolder unpolarized;
    page = unpolarized.page({{"spin_polarized", false},
                             {"alone", {{"Cr", {{"energy_zero_hartree", nullptr}, {"unpaired", nullptr}}}}},
                             {"jobs", json::array({unpolarized.job("Cr", "hollow", nullptr)})}});
    BOOST_TEST(count(page, "Not spin-polarised") == 1u);
    BOOST_TEST(count(page, "alone is lowest") == 0u);
    BOOST_TEST(count(page, "figure-bound-Cr") == 0u);

    // Interrupted before the first site.
    const StudyFolder begun;
    page = begun.page({{"spin_polarized", true}, {"alone", json::object()}, {"jobs", json::array()}});
    BOOST_TEST(count(page, "<section id=\"adsorption\">") == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

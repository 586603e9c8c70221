// SPDX-License-Identifier: Apache-2.0
#include "stembridge/io/report.hpp"

#include <fmt/format.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <pugixml.hpp>
#include <set>

#include "report_example.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/base/units.hpp"
#include "stembridge/io/text_file.hpp"
#include "stembridge/structure/builders.hpp"
#include "support/support.hpp"

using namespace stembridge;
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

const testing::ExampleOptions small_options = {
    .frame_px = 360, .cells_x = 17, .cells_y = 10, .crop_atoms = 40, .steps = 300};

const io::ReportData& small_example() {
    static const io::ReportData data = testing::example_report(small_options);
    return data;
}

struct Written {
    testing::TemporaryFolder folder;
    std::string page;
    json numbers;
};

std::unique_ptr<Written> written(const io::ReportData& data) {
    auto result = std::make_unique<Written>();
    io::write_report(result->folder.path() / "report", data);
    result->page = io::read_text(result->folder.path() / "report" / "index.html");
    result->numbers = json::parse(io::read_text(result->folder.path() / "report" / "report.json"));
    return result;
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

// What stands between `open` and `close`, each time.
std::vector<std::string> between(const std::string& text, const std::string& open, const std::string& close) {
    std::vector<std::string> parts;
    for (std::size_t at = text.find(open); at != std::string::npos; at = text.find(open, at + 1)) {
        const std::size_t end = text.find(close, at + open.size());
        if (end == std::string::npos) break;
        parts.push_back(text.substr(at + open.size(), end - at - open.size()));
    }
    return parts;
}

// The page without the elements between these texts, both included.
std::string without(std::string page, const std::string& open, const std::string& close) {
    for (std::size_t at = page.find(open); at != std::string::npos; at = page.find(open))
        page.erase(at, page.find(close, at) + close.size() - at);
    return page;
}

io::ReportData only(const std::string& part) {
    const io::ReportData& all = small_example();
    io::ReportData data;
    data.title = "part of a run";
    if (part == "frame") data.frame = all.frame;
    if (part == "build") data.build = all.build;
    if (part == "relaxation") data.relaxation = all.relaxation;
    if (part == "dynamics") data.dynamics = all.dynamics;
    if (part == "stages") data.stages = all.stages;
    if (part == "provenance") data.provenance = all.provenance;
    return data;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_report)

BOOST_AUTO_TEST_CASE(every_figure_is_a_well_formed_file) {
    const auto report = written(small_example());
    std::set<std::string> names;
    for (const fs::directory_entry& entry :
         fs::directory_iterator(report->folder.path() / "report" / "figures")) {
        names.insert(entry.path().filename().string());
        if (entry.path().extension() != ".svg") continue;
        pugi::xml_document document;
        const pugi::xml_parse_result result = document.load_file(entry.path().c_str());
        BOOST_TEST(static_cast<bool>(result), entry.path() << ": " << result.description());
        BOOST_TEST(!document.select_nodes("//style").empty());
        // Every clip that is used is there.
        for (const pugi::xpath_node& node : document.select_nodes("//*[@clip-path]")) {
            const std::string reference = node.node().attribute("clip-path").value();
            const std::string id = reference.substr(5, reference.size() - 6);
            BOOST_TEST(document.select_nodes(("//clipPath[@id='" + id + "']").c_str()).size() == 1U, id);
        }
    }
    for (const std::string name : {"frame.svg", "frame.png", "overview.svg", "before-relaxation.svg",
                                   "after-relaxation.svg", "relaxation.svg", "dynamics-1-thermo.svg",
                                   "dynamics-1-structure.svg", "bond-lengths.svg", "timings.svg"})
        BOOST_TEST(names.count(name) == 1U, name);
}

BOOST_AUTO_TEST_CASE(the_page_needs_nothing_from_outside) {
    const std::string page =
        without(written(small_example())->page, "<script id=\"viewer-library\">", "</script>");
    for (const std::string& address : between(page, "http", "\""))
        BOOST_TEST(address == "://www.w3.org/2000/svg", address);  // the name of SVG, nothing to load
    for (const std::string loader : {"<link", " src=", "@import", "url(http", "fetch("})
        BOOST_TEST(!has(page, loader), loader);
    for (const std::string& reference : between(page, "href=\"", "\""))
        BOOST_TEST(reference.starts_with("data:image/png;base64,"));
}

BOOST_AUTO_TEST_CASE(elements_of_the_page_are_closed_and_have_names_of_their_own) {
    std::string page = without(written(small_example())->page, "<script", "</script>");
    // With its void elements closed and its bare attributes given a value, the page is XML.
    const auto replace = [&page](const std::string& from, const std::string& to) {
        for (std::size_t at = page.find(from); at != std::string::npos; at = page.find(from, at + to.size()))
            page.replace(at, from.size(), to);
    };
    replace("<!DOCTYPE html>", "");
    replace("<meta charset=\"utf-8\">", "");
    replace("initial-scale=1\">", "initial-scale=1\"/>");
    replace("<br>", "<br/>");
    replace(" checked>", "/>");
    pugi::xml_document document;
    const pugi::xml_parse_result result = document.load_string(page.c_str());
    BOOST_TEST(static_cast<bool>(result), result.description() << ": " << page.substr(result.offset, 80));
    std::set<std::string> ids;
    for (const pugi::xpath_node& node : document.select_nodes("//*[@id]"))
        BOOST_TEST(ids.insert(node.node().attribute("id").value()).second,
                   node.node().attribute("id").value());
    for (const pugi::xpath_node& node : document.select_nodes("//section"))
        BOOST_TEST(node.node().select_nodes(".//figure|.//table|.//li|.//dl|.//details").size() > 0U);
    for (const pugi::xpath_node& node : document.select_nodes("//div[@class='block']"))
        BOOST_TEST(node.node().select_nodes(".//figure|.//table|.//li|.//dl").size() > 0U,
                   node.node().child("h3").text().get());
}

BOOST_AUTO_TEST_CASE(the_view_in_three_dimensions_holds_every_structure_and_instant) {
    const io::ReportData& data = small_example();
    const std::string page = written(data)->page;
    const auto found = between(page, "id=\"viewer-data\">", "</script>");
    if (found.empty()) {
        stembridge::testing::skip("three.js is not installed");
        return;
    }
    const json view = json::parse(found.at(0));
    // Built, relaxed, and each of the dynamics with its instants.
    BOOST_TEST(view["states"].size() == 2 + data.dynamics.size());
    const json& last = view["states"].back();
    const io::ReportDynamics& run = data.dynamics.back();
    BOOST_TEST(last["frames"].size() == run.snapshots.size());
    BOOST_TEST(last["species"].size() == static_cast<std::size_t>(run.n_atoms));
    for (std::size_t k = 0; k < run.snapshots.size(); ++k) {
        const auto atoms = last["frames"][k]["atoms"].get<std::vector<double>>();
        const Eigen::Map<const Eigen::Matrix3Xd> drawn(atoms.data(), 3, run.n_atoms);
        // Hundredths of an angstrom, rounded.
        BOOST_TEST((drawn - 100 * run.snapshots[k] / units::angstrom).cwiseAbs().maxCoeff() <= 0.5 + 1e-9);
    }
    for (const json& state : view["states"])
        for (const json& frame : state["frames"])
            for (const json& ring : frame["rings"])
                BOOST_TEST(ring["corners"].size() == 3 * ring["size"].get<std::size_t>());
}

BOOST_AUTO_TEST_CASE(a_film_of_a_study_is_in_the_view_in_three_dimensions) {
    io::ReportData data;
    data.title = "a path";
    io::ReportSection section;
    section.id = "barriers";
    section.title = "Barriers";
    section.blocks.push_back({"", std::nullopt, "", std::nullopt, {"one path"}, true});
    io::ReportFilm film{"Path: there & back", {}};
    for (int k = 0; k < 4; ++k) {
        Structure image;
        image.add(6, {0, 0, 0});
        image.add(1, {2.0 + 0.1 * k, 0, 0});
        film.frames.push_back(image);
    }
    section.films = {film, {"nothing", {}}};
    data.sections = {section};
    const auto found = between(written(data)->page, "id=\"viewer-data\">", "</script>");
    if (found.empty()) {
        stembridge::testing::skip("three.js is not installed");
        return;
    }
    const json view = json::parse(found.at(0));
    BOOST_REQUIRE(view["states"].size() == 1u);  // the empty one is left out
    BOOST_TEST(view["states"][0]["label"] == "Path: there & back");
    BOOST_TEST(view["states"][0]["species"].size() == 2u);
    BOOST_REQUIRE(view["states"][0]["frames"].size() == 4u);
    for (int k = 0; k < 4; ++k)
        BOOST_TEST(view["states"][0]["frames"][static_cast<std::size_t>(k)]["atoms"][3].get<double>() ==
                   std::round(100 * (2.0 + 0.1 * k) / units::angstrom));
}

BOOST_AUTO_TEST_CASE(the_page_shows_the_numbers_of_the_run) {
    const io::ReportData& data = small_example();
    const std::string page = written(data)->page;
    for (const std::string text :
         {"Stone–Wales defect in graphene", "0.10032 <small>± 0.00002</small> Å/px", "6.58 %", "U-Net",
          "classical", "0.989", "0.942", "5-7-7-5", "FIRE, then L-BFGS", "NVT, Nosé-Hoover chain, 1 fs",
          "builtin C-H-Si 1.0", "9f86d081884c7d65", "temperature / K", "largest force / eV/Å",
          "C–C bond length / Å", "wall time / s", "not run yet"})
        BOOST_TEST(has(page, text), text);
    BOOST_TEST(has(page, std::to_string(data.frame->atoms.size())));
}

BOOST_AUTO_TEST_CASE(a_pixel_size_that_no_lattice_was_used_for_is_shown_as_given) {
    io::ReportData data = small_example();
    data.frame->calibration = io::ReportCalibration{.nominal_angstrom_per_px = 0.104, .applied = false};
    const auto report = written(data);
    BOOST_TEST(has(report->page, "pixel size as given (no lattice used)"));
    for (const char* text :
         {"pixel size from the lattice", "Lattice pixel size", "Scan anisotropy", "rotation of"})
        BOOST_TEST(!has(report->page, text), text);
    const json calibration = report->numbers.at("frame").at("calibration");
    for (const char* key : {"lattice_angstrom_per_px", "anisotropy_percent", "shear", "rotation_degree"})
        BOOST_TEST(calibration.at(key).is_null(), key);
}

BOOST_AUTO_TEST_CASE(numbers_in_the_json_are_the_numbers_given) {
    const io::ReportData& data = small_example();
    const json numbers = written(data)->numbers;
    BOOST_TEST(numbers.at("format") == "stembridge report");
    BOOST_TEST(numbers.at("warnings").get<std::vector<std::string>>() == data.warnings,
               boost::test_tools::per_element());
    BOOST_TEST(numbers.at("stages").size() == data.stages.size());
    BOOST_TEST(numbers.at("stages")[1].at("wall_seconds").get<double>() == data.stages[1].wall_seconds);
    BOOST_TEST(numbers.at("stages").back().at("status") == "not_run");

    const json& frame = numbers.at("frame");
    BOOST_TEST(frame.at("n_atoms").get<std::size_t>() == data.frame->atoms.size());
    BOOST_TEST(frame.at("atoms").at("x_px")[7].get<double>() == data.frame->atoms[7].x_px);
    BOOST_TEST(frame.at("calibration").at("lattice_angstrom_per_px").get<double>() == 0.10032);
    BOOST_TEST(frame.at("detectors")[1].at("f1").get<double>() == 0.942);

    const json& relaxation = numbers.at("relaxation");
    BOOST_TEST(relaxation.at("energy_ev").get<std::vector<double>>() == data.relaxation->energy_ev,
               boost::test_tools::per_element());
    BOOST_TEST(relaxation.at("max_force_ev_per_angstrom").get<std::vector<double>>() ==
                   data.relaxation->max_force_ev_per_angstrom,
               boost::test_tools::per_element());
    BOOST_TEST(relaxation.at("converged").get<bool>());
    const StructureAnalysis& after = data.relaxation->after.analysis;
    for (const auto& [size, count] : after.ring_counts)
        BOOST_TEST(relaxation.at("after").at("ring_counts").at(std::to_string(size)).get<int>() == count);
    BOOST_TEST(relaxation.at("after").at("bonds").at("C-C").at("mean_angstrom").get<double>() ==
               after.bonds.at("C-C").mean / units::angstrom);

    // Atoms count from 1.
    const json& defects = relaxation.at("after").at("defects");
    BOOST_REQUIRE(defects.size() == after.defects.size());
    BOOST_REQUIRE(!defects.empty());
    BOOST_TEST(defects[0].at("atoms")[0].get<int>() == after.defects[0].atoms[0] + 1);

    const json& run = numbers.at("dynamics")[0];
    BOOST_TEST(run.at("temperature_k").get<std::vector<double>>() == data.dynamics[0].temperature_k,
               boost::test_tools::per_element());
    BOOST_TEST(run.at("drift_mev_per_atom_per_ps").get<double>() == 0.031);
    BOOST_TEST(numbers.at("provenance").at("seed").get<std::uint64_t>() == 20240517U);
}

BOOST_AUTO_TEST_CASE(a_report_of_nothing_has_no_sections) {
    io::ReportData data;
    data.title = "nothing yet";
    const auto report = written(data);
    BOOST_TEST(has(report->page, "<h1>nothing yet</h1>"));
    for (const std::string element : {"<section", "<figure", "<table", "<h2", "<h3", "<dl", "<ol"})
        BOOST_TEST(!has(report->page, element), element);
    for (const std::string key : {"frame", "build", "relaxation", "dynamics"})
        BOOST_TEST(!report->numbers.contains(key), key);
}

BOOST_AUTO_TEST_CASE(absent_parts_leave_no_headings) {
    const std::map<std::string, std::string> headings = {{"frame", "Frame and atoms"},
                                                         {"build", "Structure"},
                                                         {"relaxation", "Relaxation"},
                                                         {"dynamics", "Dynamics"},
                                                         {"provenance", "How it was made"}};
    for (const auto& [part, heading] : headings) {
        const std::string page = written(only(part))->page;
        for (const auto& [other, text] : headings)
            BOOST_TEST(has(page, "<h2>" + text + "</h2>") == (other == part),
                       "only " << part << ": " << text);
    }
}

BOOST_AUTO_TEST_CASE(stages_that_were_not_run_are_named) {
    const std::string page = written(only("stages"))->page;
    BOOST_TEST(has(page, "Simulated image <small>not run yet</small>"));
}

BOOST_AUTO_TEST_CASE(parts_without_their_series_are_shown_without_plots) {
    io::ReportData data = small_example();
    data.frame->calibration.reset();
    data.frame->detectors.clear();
    data.frame->atoms.clear();
    data.frame->outline_px.clear();
    data.frame->pixel_size_angstrom = 0;
    data.relaxation->energy_ev.clear();
    data.relaxation->max_force_ev_per_angstrom.clear();
    data.dynamics[0] = io::ReportDynamics{};
    data.dynamics[0].name = "300 K";
    const std::string page = written(data)->page;
    for (const std::string absent :
         {"Calibration", "Ways of finding atoms", "largest force / eV/Å", "temperature / K"})
        BOOST_TEST(!has(page, absent), absent);
    BOOST_TEST(has(page, "0 atoms found: none"));
}

BOOST_AUTO_TEST_CASE(warnings_stand_above_everything_else) {
    io::ReportData data = small_example();
    data.relaxation->converged = false;
    data.stages[4].status = io::ReportStage::Status::failed;
    data.stages[4].note = "SCC did not converge";
    const std::string page = written(data)->page;
    const std::size_t warnings = page.find("class=\"warnings\"");
    BOOST_TEST(warnings < page.find("class=\"stages\""));
    BOOST_TEST(warnings < page.find("class=\"tiles\""));
    BOOST_TEST(has(page, "4 things to look at"));
    BOOST_TEST(has(page, "The relaxation did not reach its tolerance of 0.001 eV/Å"));
    BOOST_TEST(has(page, "Dynamics failed: SCC did not converge"));
}

BOOST_AUTO_TEST_CASE(texts_cannot_break_the_page) {
    const std::string evil = "<script>alert('x')</script> & \"quotes\" \x01\xff";
    io::ReportData data = small_example();
    data.title = data.subtitle = evil;
    data.warnings = {evil};
    data.stages[0].name = data.stages[0].note = evil;
    data.frame->image.source = evil;
    data.frame->detectors[0].name = evil;
    data.build->messages = {evil};
    data.relaxation->method = evil;
    data.dynamics[0].name = data.dynamics[0].method = evil;
    data.provenance.command = data.provenance.config = evil;
    data.provenance.more = {{evil, evil}};
    const auto report = written(data);
    BOOST_TEST(between(report->page, "<script>", "</script>").size() == 1U);  // the page's own
    BOOST_TEST(!has(report->page, "<script>alert"));
    BOOST_TEST(has(report->page, "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; &quot;quotes&quot;"));
    BOOST_TEST(!has(report->page, "\x01"));
    BOOST_TEST(report->numbers.at("title").get<std::string>().starts_with("<script>alert('x')</script>"));
    for (const fs::directory_entry& entry :
         fs::directory_iterator(report->folder.path() / "report" / "figures"))
        if (entry.path().extension() == ".svg") {
            pugi::xml_document document;
            BOOST_TEST(static_cast<bool>(document.load_file(entry.path().c_str())), entry.path());
        }
}

BOOST_AUTO_TEST_CASE(a_report_is_replaced_without_leftovers) {
    const testing::TemporaryFolder folder;
    io::write_report(folder.path(), small_example());
    io::ReportData data = small_example();
    data.title = "second";
    io::write_report(folder.path(), data);
    BOOST_TEST(has(io::read_text(folder.path() / "index.html"), "<h1>second</h1>"));
    const std::set<std::string> expected = {".svg", ".png", ".html", ".json"};
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder.path()))
        if (entry.is_regular_file())
            BOOST_TEST(expected.count(entry.path().extension().string()) == 1U, entry.path());
}

BOOST_AUTO_TEST_CASE(a_folder_that_cannot_be_written_is_an_error_of_the_file) {
    const testing::TemporaryFolder folder;
    std::ofstream(folder.path() / "taken") << "a file";
    BOOST_CHECK_THROW(io::write_report(folder.path() / "taken", small_example()), FileError);
}

BOOST_AUTO_TEST_CASE(series_of_different_lengths_are_refused) {
    io::ReportData data = small_example();
    data.dynamics[0].temperature_k.pop_back();
    const testing::TemporaryFolder folder;
    BOOST_CHECK_THROW(io::write_report(folder.path(), data), InputError);
    data = small_example();
    data.relaxation->energy_ev.pop_back();
    BOOST_CHECK_THROW(io::write_report(folder.path(), data), InputError);
}

BOOST_AUTO_TEST_CASE(what_a_map_would_show_in_one_colour_is_said_in_words) {
    io::ReportData data;
    data.relaxation.emplace();
    io::ReportRelaxation& relaxation = *data.relaxation;
    Structure sheet = graphene_sheet(4, 3);
    const auto maps_of = [&](const Structure& structure, double charge) {
        relaxation.before = relaxation.after = io::report_structure(structure);
        relaxation.charges = Eigen::VectorXd::Constant(structure.size(), charge);
        relaxation.charges(0) = -charge;
        return written(data);
    };
    const auto even = maps_of(sheet, 1e-4);
    for (const char* name : {"strain", "height", "charges"})
        BOOST_TEST(!fs::exists(even->folder.path() / "report/figures" / fmt::format("map-{}.svg", name)),
                   name);
    BOOST_TEST(fs::exists(even->folder.path() / "report/figures/map-rings.svg"));
    for (const char* words : {"All are hexagons", "the same around every ring, 1.4", "The sheet is flat",
                              "neutral to less than 0.001 e"})
        BOOST_TEST(has(even->page, words), words);

    // A bond stretched by 10 %, an atom lifted by 1 Å, charges of 0.1 e.
    sheet.positions(0, 5) += 0.14 * units::angstrom;
    sheet.positions(2, 9) += 1 * units::angstrom;
    const auto uneven = maps_of(sheet, 0.1);
    for (const char* name : {"strain", "height", "charges"})
        BOOST_TEST(fs::exists(uneven->folder.path() / "report/figures" / fmt::format("map-{}.svg", name)),
                   name);
    BOOST_TEST(!has(uneven->page, "The sheet is flat"));
}

BOOST_AUTO_TEST_CASE(displacements_in_a_periodic_cell_are_those_of_the_nearest_image) {
    io::ReportData data;
    io::ReportRelaxation relaxation;
    Structure sheet = graphene_sheet(3, 2);
    sheet.cell.vectors.col(2).setZero();  // as of a sheet that repeats in its plane only
    sheet.cell.periodic[2] = false;
    relaxation.before = io::report_structure(sheet);
    Structure moved = relaxation.before.structure;
    moved.positions.col(0) += moved.cell.vector(0) + Eigen::Vector3d(0.1 * units::angstrom, 0, 0);
    relaxation.after = io::report_structure(moved);
    relaxation.converged = true;
    data.relaxation = relaxation;
    BOOST_TEST(has(written(data)->page, "0.100\u00a0Å at most"));
}

// Set STEMBRIDGE_REPORT_EXAMPLE to a folder to look at this report in a browser.
BOOST_AUTO_TEST_CASE(the_page_of_a_whole_frame_stays_below_three_megabytes) {
    const io::ReportData data = testing::example_report();
    BOOST_TEST(data.frame->atoms.size() > 2000U);
    const testing::TemporaryFolder temporary;
    const char* asked_for = std::getenv("STEMBRIDGE_REPORT_EXAMPLE");
    const fs::path folder = asked_for != nullptr ? fs::path(asked_for) : temporary.path();
    io::write_report(folder, data);
    BOOST_TEST(fs::file_size(folder / "index.html") < 3000000U);
}

BOOST_AUTO_TEST_SUITE_END()

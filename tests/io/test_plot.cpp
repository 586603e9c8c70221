// SPDX-License-Identifier: Apache-2.0
#include "stembridge/io/plot.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <pugixml.hpp>

#include "stembridge/base/errors.hpp"
#include "stembridge/base/random.hpp"
#include "stembridge/base/units.hpp"
#include "stembridge/structure/builders.hpp"

using namespace stembridge;

namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();

// The parsed figure, as a file of its own and as it stands in a page.
pugi::xml_document parsed(const io::Figure& figure) {
    pugi::xml_document file;
    const std::string text = io::standalone_svg(figure);
    BOOST_TEST(static_cast<bool>(file.load_buffer(text.data(), text.size())), figure.name << " as a file");
    pugi::xml_document document;
    const pugi::xml_parse_result result = document.load_buffer(figure.svg.data(), figure.svg.size());
    BOOST_TEST(static_cast<bool>(result),
               figure.name << ": " << result.description() << " at " << result.offset);
    BOOST_TEST(std::string(document.first_child().name()) == "svg");
    BOOST_TEST(std::string(document.first_child().child("title").text().get()) == figure.caption);
    return document;
}

std::vector<std::string> texts(const pugi::xml_document& document) {
    std::vector<std::string> found;
    for (const pugi::xpath_node& node : document.select_nodes("//text"))
        found.emplace_back(node.node().text().get());
    return found;
}

bool shows(const pugi::xml_document& document, const std::string& text) {
    const std::vector<std::string> all = texts(document);
    return std::find(all.begin(), all.end(), text) != all.end();
}

std::size_t count(const pugi::xml_document& document, const std::string& path) {
    return document.select_nodes(path.c_str()).size();
}

std::size_t letters(const std::string& text, char letter) {
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), letter));
}

io::CurvePlot energy_plot() {
    io::CurvePlot plot;
    plot.name = "energy";
    plot.caption = "energy & force <test>";
    plot.x.label = "time / fs";
    plot.panels = {
        {{"energy / eV"},
         {{"a < b", {0, 1, 2, 3}, {1, 4, missing, 2}}, {"b", {0, 3}, {0, 1}, 1}},
         {{"mean", 2}}},
        {{"force / eV/Å", io::Scale::logarithmic}, {{"force", {0, 1, 2, 3}, {10, 0, 0.1, 1e-3}}}, {}}};
    return plot;
}

io::StructureView view_of(const Structure& structure) {
    io::StructureView view;
    view.name = "structure";
    view.caption = "structure";
    view.structure = structure;
    const BondGraph graph(structure);
    view.bonds = graph.bonds();
    view.rings = find_rings(graph);
    return view;
}

io::MicrographView micrograph(int width, int height) {
    io::MicrographView view;
    view.name = "frame";
    view.caption = "frame";
    Random random(3);

    view.image.pixels.resize(height, width);
    for (Eigen::Index k = 0; k < view.image.pixels.size(); ++k)
        view.image.pixels.data()[k] = static_cast<float>(random.normal());
    return view;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_plot)

BOOST_AUTO_TEST_CASE(ticks_are_round_and_lie_in_the_range) {
    const std::vector<std::pair<double, double>> ranges = {
        {0, 1}, {-3.7, 12}, {1.0871, 1.0874}, {-5e6, 4e7}, {299, 301}};
    for (const auto& [low, high] : ranges)
        for (const int wanted : {2, 4, 6}) {
            const std::vector<double> ticks = io::nice_ticks(low, high, wanted);
            BOOST_TEST(ticks.size() >= 1U);
            BOOST_TEST(ticks.size() <= static_cast<std::size_t>(wanted) + 1);
            for (const double tick : ticks) {
                BOOST_TEST(tick >= low - 1e-9 * (high - low));
                BOOST_TEST(tick <= high + 1e-9 * (high - low));
            }
            if (ticks.size() < 2) continue;
            const double step = ticks[1] - ticks[0];
            const double leading = step / std::pow(10.0, std::floor(std::log10(step * (1 + 1e-9))));
            const bool round =
                std::abs(leading - 1) < 1e-6 || std::abs(leading - 2) < 1e-6 || std::abs(leading - 5) < 1e-6;
            BOOST_TEST(round, "step " << step);
        }
}

BOOST_AUTO_TEST_CASE(a_range_of_one_value_has_one_tick) {
    BOOST_TEST(io::nice_ticks(3, 3) == std::vector<double>{3}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(lengths_of_scale_bars_are_1_2_or_5) {
    BOOST_TEST(io::nice_length(9.9) == 5);
    BOOST_TEST(io::nice_length(5) == 5);
    BOOST_TEST(io::nice_length(4.9) == 2);
    BOOST_TEST(io::nice_length(19) == 10);
    BOOST_TEST(io::nice_length(0.15) == 0.1);
}

BOOST_AUTO_TEST_CASE(decimation_keeps_the_extremes_the_ends_and_the_order) {
    Random random(5);
    std::vector<double> y(20000);
    for (double& value : y) value = random.normal();
    y[7777] = 50;
    y[12345] = -50;
    y[100] = missing;
    const std::vector<std::size_t> kept = io::decimate(y, 100);
    BOOST_TEST(kept.size() <= 400U);
    BOOST_TEST(kept.front() == 0U);
    BOOST_TEST(kept.back() == y.size() - 1);
    BOOST_TEST(std::is_sorted(kept.begin(), kept.end(), std::less_equal<>()));
    for (const std::size_t extreme : {7777U, 12345U})
        BOOST_TEST((std::find(kept.begin(), kept.end(), extreme) != kept.end()));
}

BOOST_AUTO_TEST_CASE(a_short_curve_is_not_decimated) {
    BOOST_TEST(io::decimate(std::vector<double>(400, 1.0), 100).size() == 400U);
}

BOOST_AUTO_TEST_CASE(markup_control_characters_and_broken_utf8_are_made_safe) {
    BOOST_TEST(io::escape_markup("a<b>&\"c'") == "a&lt;b&gt;&amp;&quot;c&#39;");
    BOOST_TEST(io::escape_markup(std::string("x\x01\x1b\0y\n", 6)) == "xy\n");
    BOOST_TEST(io::escape_markup("Å – Nosé") == "Å – Nosé");
    BOOST_TEST(io::escape_markup("\xff\xc3") == "\uFFFD\uFFFD");
    BOOST_TEST(io::escape_markup("\xed\xa0\x80") == "\uFFFD\uFFFD\uFFFD");  // a surrogate
    BOOST_TEST(io::escape_markup("\xc0\xaf") == "\uFFFD\uFFFD");            // overlong
}

BOOST_AUTO_TEST_CASE(curves_have_axes_with_units_a_legend_and_gaps_where_values_are_missing) {
    const pugi::xml_document document = parsed(io::draw(energy_plot()));
    for (const std::string label : {"time / fs", "energy / eV", "force / eV/Å", "a < b", "b", "mean"})
        BOOST_TEST(shows(document, label), label);
    const pugi::xpath_node_set curves = document.select_nodes("//path[contains(@class, 'curve c')][title]");
    BOOST_TEST(curves.size() == 3U);
    // A NaN, and a zero on the logarithmic axis, each cut a curve into two.
    BOOST_TEST(letters(curves[0].node().attribute("d").value(), 'M') == 2U);
    BOOST_TEST(letters(curves[1].node().attribute("d").value(), 'M') == 1U);
    BOOST_TEST(letters(curves[2].node().attribute("d").value(), 'M') == 2U);
}

BOOST_AUTO_TEST_CASE(decades_of_a_logarithmic_axis_are_labelled) {
    io::CurvePlot plot;
    plot.name = "forces";
    plot.panels = {{{"force", io::Scale::logarithmic}, {{"f", {0, 1}, {2e-5, 30}}}, {}}};
    const pugi::xml_document document = parsed(io::draw(plot));
    for (const std::string label : {"10⁻⁴", "0.001", "0.1", "1", "10"})
        BOOST_TEST(shows(document, label), label);
}

BOOST_AUTO_TEST_CASE(counts_have_no_ticks_between_whole_numbers) {
    io::CurvePlot plot;
    plot.name = "rings";
    plot.panels = {{{"hexagons"}, {{"6", {0, 10}, {16, 17}}}, {}}};
    plot.panels[0].y.counts = true;
    const pugi::xml_document document = parsed(io::draw(plot));
    BOOST_TEST(shows(document, "16"));
    BOOST_TEST(shows(document, "17"));
    for (const std::string& text : texts(document)) BOOST_TEST(text.find('.') == std::string::npos, text);
}

BOOST_AUTO_TEST_CASE(a_plot_without_data_says_so) {
    io::CurvePlot plot;
    plot.name = "empty";
    plot.panels = {{{"energy"}, {}, {}},
                   {{"force", io::Scale::logarithmic}, {{"f", {0, 1}, {-1, missing}}}, {}}};
    const std::vector<std::string> all = texts(parsed(io::draw(plot)));
    BOOST_TEST(std::count(all.begin(), all.end(), "no data") == 2);
}

BOOST_AUTO_TEST_CASE(a_constant_curve_can_be_drawn) {
    io::CurvePlot plot;
    plot.name = "constant";
    plot.panels = {{{"energy"}, {{"e", {0, 1, 2}, {-4213.5, -4213.5, -4213.5}}}, {}}};
    const io::Figure figure = io::draw(plot);
    parsed(figure);
    BOOST_TEST(figure.svg.find("nan") == std::string::npos);
    BOOST_TEST(figure.svg.find("inf") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_curve_whose_x_and_y_differ_in_length_is_refused) {
    io::CurvePlot plot = energy_plot();
    plot.panels[0].curves[0].y.pop_back();
    BOOST_CHECK_THROW(io::draw(plot), InputError);
}

BOOST_AUTO_TEST_CASE(a_long_curve_stays_small) {
    io::CurvePlot plot = energy_plot();
    io::Curve& curve = plot.panels[0].curves[0];
    curve.x.clear();
    curve.y.clear();
    for (int k = 0; k < 1000000; ++k) {
        curve.x.push_back(k);
        curve.y.push_back(std::sin(0.01 * k));
    }
    BOOST_TEST(io::draw(plot).svg.size() < 40000U);
}

BOOST_AUTO_TEST_CASE(shares_of_a_histogram_add_up_to_everything) {
    io::Histogram plot;
    plot.name = "lengths";
    plot.x.label = "length / Å";
    plot.counted = "bonds";
    plot.samples = {
        {"before", {1.40, 1.42, 1.42, 1.44, missing}, 0}, {"after", {1.42}, 1}, {"nothing", {}, 2}};
    plot.bins = 10;
    const io::Figure figure = io::draw(plot);
    const pugi::xml_document document = parsed(figure);
    for (const std::string label : {"length / Å", "share of bonds / %", "before", "after", "nothing"})
        BOOST_TEST(shows(document, label), label);
    const pugi::xpath_node_set areas = document.select_nodes("//path[contains(@class, 'area')]");
    BOOST_TEST(areas.size() == 3U);
    // The sample with all its values in one bin is one rectangle, the empty one is nothing.
    BOOST_TEST(letters(areas[1].node().attribute("d").value(), 'V') == 2U);
    BOOST_TEST(std::string(areas[2].node().attribute("d").value()).empty());
}

BOOST_AUTO_TEST_CASE(bars_are_as_long_as_their_values) {
    io::BarChart chart;
    chart.name = "timings";
    chart.axis = "wall time / s";
    chart.bars = {{"find & build", 10, "10 s"}, {"relax", 40, "40 s"}, {"nothing", 0, ""}};
    const pugi::xml_document document = parsed(io::draw(chart));
    BOOST_TEST(shows(document, "find & build"));
    BOOST_TEST(shows(document, "40 s"));
    BOOST_TEST(shows(document, "wall time / s"));
    const pugi::xpath_node_set bars = document.select_nodes("//rect");
    BOOST_TEST(bars.size() == 3U);
    // Widths are written with two decimals.
    BOOST_TEST(std::abs(bars[1].node().attribute("width").as_double() -
                        4 * bars[0].node().attribute("width").as_double()) < 0.1);
}

BOOST_AUTO_TEST_CASE(a_structure_shows_every_atom_in_both_views_and_every_kind_of_ring) {
    Structure flake = graphene_flake(9 * units::angstrom);
    const int i = 0;
    flake = with_rotated_bond(flake, i, BondGraph(flake).of(i).front().j);
    fix_atoms(flake, "indices:1,2");
    io::StructureView view = view_of(flake);
    view.displacements = Eigen::Matrix3Xd::Constant(3, flake.size(), 0.3 * units::angstrom);
    view.displacement_scale = 5;
    const pugi::xml_document document = parsed(io::draw(view));
    const std::size_t n = static_cast<std::size_t>(flake.size());
    BOOST_TEST(count(document, "//g/circle[contains(@class, 'atom')]") == 2 * n);
    BOOST_TEST(count(document, "//circle[@class='pin']") == 2 * 2U + 1);  // 2 atoms, 2 views, the legend
    BOOST_TEST(count(document, "//circle/title[text()='C 1']") == 2U);    // atoms count from 1
    BOOST_TEST(count(document, "//circle/title[text()='C 0']") == 0U);
    std::map<std::string, std::size_t> wanted;
    for (const auto& [size, number] : ring_counts(view.rings))
        wanted[size >= 5 && size <= 8 ? "ring-" + std::to_string(size) : "ring-n"] +=
            static_cast<std::size_t>(number);
    BOOST_TEST(wanted.size() >= 2U);
    for (const auto& [css, number] : wanted) {
        const pugi::xml_node path = document.select_node(("//g/path[@class='" + css + "']").c_str()).node();
        BOOST_TEST(letters(path.attribute("d").value(), 'Z') == number, css);
        BOOST_TEST(count(document, "//rect[@class='" + css + "']") == 1U, css << " in the legend");
    }
    for (const std::string label : {"C", "6-ring", "held fixed", "displacement × 5", "from the side", "2 Å"})
        BOOST_TEST(shows(document, label), label);
}

BOOST_AUTO_TEST_CASE(displaced_atoms_are_seen_from_the_side_and_arrows_only_where_there_are_some) {
    const Structure flake = graphene_flake(6 * units::angstrom);
    io::StructureView view = view_of(flake);
    const double flat = io::draw(view).height;
    view.side_structure = flake;
    view.side_structure->positions(2, 0) += 3 * units::angstrom;
    view.side_bonds = BondGraph(*view.side_structure).bonds();
    view.displacements = view.side_structure->positions - flake.positions;
    const io::Figure figure = io::draw(view);
    BOOST_TEST(figure.height > flat + 20);
    const pugi::xml_document document = parsed(figure);
    BOOST_TEST(shows(document, "from the side, displaced"));
    BOOST_TEST(!shows(document, "displacement"));  // out of the plane: no arrow from above
    view.displacements(0, 0) = 1 * units::angstrom;
    BOOST_TEST(shows(parsed(io::draw(view)), "displacement"));
    view.side_structure = graphene_flake(9 * units::angstrom);
    BOOST_CHECK_THROW(io::draw(view), InputError);
}

BOOST_AUTO_TEST_CASE(bonds_and_rings_of_a_periodic_sheet_end_at_the_cell) {
    const Structure sheet = graphene_sheet(4, 3);
    io::StructureView view = view_of(sheet);
    view.side = false;
    const pugi::xml_document document = parsed(io::draw(view));
    BOOST_TEST(count(document, "//path[@class='cell']") == 1U);
    const auto crosses = [](const Bond& bond) { return bond.image != std::array<int, 3>{0, 0, 0}; };
    const auto crossing =
        static_cast<std::size_t>(std::count_if(view.bonds.begin(), view.bonds.end(), crosses));
    BOOST_TEST(crossing > 0U);
    const pugi::xml_node bonds = document.select_node("//path[@class='bond']").node();
    BOOST_TEST(letters(bonds.attribute("d").value(), 'M') == view.bonds.size() + crossing);
    BOOST_TEST(std::string(bonds.parent().attribute("clip-path").value()) == "url(#structure-top)");
    // 24 hexagons per cell, of which those on a border are drawn at each side of it.
    const pugi::xml_node rings = document.select_node("//g/path[@class='ring-6']").node();
    BOOST_TEST(view.rings.size() == 24U);
    BOOST_TEST(letters(rings.attribute("d").value(), 'Z') > view.rings.size());
}

BOOST_AUTO_TEST_CASE(the_picture_of_a_periodic_sheet_does_not_depend_on_which_image_its_atoms_are_given_in) {
    Structure sheet = graphene_sheet(3, 2);
    sheet.cell.vectors.col(2).setZero();  // as of a sheet that repeats in its plane only
    sheet.cell.periodic[2] = false;
    Structure moved = sheet;
    moved.positions.colwise() += 0.01 * sheet.cell.vector(0) + 0.01 * sheet.cell.vector(1);
    Structure scattered = moved;
    scattered.positions.col(3) += sheet.cell.vector(0);
    scattered.positions.col(5) -= 2 * sheet.cell.vector(1);
    const auto atoms = [](const Structure& structure) {
        io::StructureView view = view_of(structure);
        view.side = false;
        std::vector<std::string> places;
        const pugi::xml_document document = parsed(io::draw(view));
        for (const pugi::xpath_node& node : document.select_nodes("//g/circle"))
            places.push_back(std::string(node.node().attribute("cx").value()) + " " +
                             node.node().attribute("cy").value());
        return places;
    };
    BOOST_TEST(atoms(moved) == atoms(scattered), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(an_atom_that_flew_off_does_not_shrink_the_rest) {
    const Structure flake = graphene_flake(6 * units::angstrom);
    Structure hot = flake;
    hot.positions.col(0) += Eigen::Vector3d(300, -200, 500) * units::angstrom;
    const auto [x_low, x_high, y_low, y_high] = io::common_window({&flake, &hot});
    const auto alone = io::common_window({&flake});
    BOOST_TEST(x_low <= alone[0]);
    BOOST_TEST(x_high >= alone[1]);
    BOOST_TEST(x_high - x_low < 1.5 * (alone[1] - alone[0]));
    BOOST_TEST(y_high - y_low < 1.5 * (alone[3] - alone[2]));
    // Small moves are seen whole.
    hot = flake;
    hot.positions.row(0).array() += 1 * units::angstrom;
    BOOST_TEST(io::common_window({&flake, &hot})[1] - alone[1] == 1, boost::test_tools::tolerance(1e-9));
    // The view from the side is no taller than it is wide.
    hot.positions(2, 0) += 500 * units::angstrom;
    io::StructureView view = view_of(hot);
    view.top = view.legend = false;
    BOOST_TEST(io::draw(view).height < 1.2 * view.width);
}

BOOST_AUTO_TEST_CASE(a_cloud_takes_the_place_of_the_atoms) {
    const Structure flake = graphene_flake(4 * units::angstrom);
    io::StructureView view = view_of(flake);
    view.side = false;
    view.snapshots = {flake.positions, flake.positions, flake.positions};
    const pugi::xml_document document = parsed(io::draw(view));
    BOOST_TEST(count(document, "//g/circle") == 0U);
    const pugi::xpath_node_set clouds = document.select_nodes("//g/path[@class='cloud']");
    BOOST_TEST(clouds.size() == 3U);
    BOOST_TEST(letters(clouds[0].node().attribute("d").value(), 'M') ==
               static_cast<std::size_t>(flake.size()));
}

BOOST_AUTO_TEST_CASE(bonds_rings_and_displacements_that_do_not_fit_the_structure_are_refused) {
    const io::StructureView good = view_of(graphene_flake(4 * units::angstrom));
    io::StructureView view = good;
    view.bonds.front().j = 10000;
    BOOST_CHECK_THROW(io::draw(view), InputError);
    view = good;
    view.rings.front().atoms.back() = -1;
    BOOST_CHECK_THROW(io::draw(view), InputError);
    view = good;
    view.displacements = Eigen::Matrix3Xd::Zero(3, 1);
    BOOST_CHECK_THROW(io::draw(view), InputError);
    view = good;
    view.snapshots = {Eigen::Matrix3Xd::Zero(3, 2)};
    BOOST_CHECK_THROW(io::draw(view), InputError);
}

BOOST_AUTO_TEST_CASE(an_empty_structure_can_be_drawn) {
    io::StructureView view;
    view.name = "empty";
    parsed(io::draw(view));
}

BOOST_AUTO_TEST_CASE(atoms_of_a_micrograph_stand_at_their_pixels_with_a_mark_for_each_species) {
    io::MicrographView view = micrograph(260, 130);
    view.width = 520;  // two figure pixels per pixel of the frame
    view.pixel_size_angstrom = 0.1;
    view.outline_px = {{10, 10}, {50, 10}, {50, 40}};
    view.atoms.resize(4);
    view.atoms[0] = {.x_px = 10, .y_px = 20, .atomic_number = 6};
    view.atoms[1] = {.x_px = 30, .y_px = 20, .atomic_number = 14};
    view.atoms[2] = {.x_px = 50, .y_px = 20, .atomic_number = 0};
    view.atoms[3] = {.x_px = 900, .y_px = 20, .atomic_number = 6};  // outside
    const pugi::xml_document document = parsed(io::draw(view));
    const pugi::xml_node carbon = document.select_node("//g[@class='atoms-6']//circle").node();
    // Pixel (0, 0) is the centre of the first pixel: column 10 is 10.5 pixels from the edge.
    BOOST_TEST(carbon.attribute("cx").as_double() == 21.0);
    BOOST_TEST(carbon.attribute("cy").as_double() == 41.0);
    BOOST_TEST(count(document, "//g[@class='atoms-6']/g[last()]/circle") == 1U);
    BOOST_TEST(count(document, "//g[@class='atoms-14']/g[last()]/circle") == 1U);
    BOOST_TEST(count(document, "//g[@class='atoms-0']/g[last()]/path") == 1U);
    BOOST_TEST(count(document, "//g[@class='layer-outline']") == 1U);
    for (const std::string label : {"C (1)", "Si (1)", "unknown (1)", "cut out", "5 Å"})
        BOOST_TEST(shows(document, label), label);
    // 5 angstrom are 50 pixels are 100 figure pixels.
    BOOST_TEST(document.select_node("//g[@class='scale-bar']").node().attribute("data-length").as_double() ==
               100.0);
}

BOOST_AUTO_TEST_CASE(a_micrograph_without_pixel_size_has_no_scale_bar) {
    const pugi::xml_document document = parsed(io::draw(micrograph(40, 30)));
    BOOST_TEST(count(document, "//g[@class='scale-bar']") == 0U);
    BOOST_TEST(count(document, "//image") == 1U);
}

BOOST_AUTO_TEST_CASE(a_part_of_a_micrograph_shows_only_its_atoms_and_a_part_outside_is_refused) {
    io::MicrographView view = micrograph(200, 200);
    view.atoms = {{.x_px = 20, .y_px = 20, .atomic_number = 6},
                  {.x_px = 120, .y_px = 120, .atomic_number = 6}};
    view.window_px = {100, 300, 100, 300};
    BOOST_TEST(count(parsed(io::draw(view)), "//g[@class='atoms-6']/g[last()]/circle") == 1U);
    view.window_px = {300, 400, 0, 100};
    BOOST_CHECK_THROW(io::draw(view), InputError);
    view = micrograph(200, 200);
    view.image.pixels.resize(0, 0);
    BOOST_CHECK_THROW(io::draw(view), InputError);
}

BOOST_AUTO_TEST_CASE(a_large_micrograph_is_averaged_down) {
    io::MicrographView view = micrograph(2100, 2100);
    view.longest_side_px = 700;
    // 700 x 700 random bytes as base64 are 650 kB.
    BOOST_TEST(io::draw(view).svg.size() < 700000U);
}

BOOST_AUTO_TEST_CASE(contrast_follows_percentiles_and_ignores_what_is_not_finite) {
    Pixels pixels(1, 1002);
    for (int k = 0; k < 1001; ++k) pixels(0, k) = static_cast<float>(k);
    pixels(0, 1001) = std::numeric_limits<float>::quiet_NaN();
    const io::Contrast contrast = io::contrast_of(pixels, 10, 90);
    BOOST_TEST(contrast.low == 100.0F);
    BOOST_TEST(contrast.high == 900.0F);
    BOOST_TEST(contrast.gamma == 1.0);
    const io::Bitmap bitmap = io::to_bitmap(pixels, contrast);
    BOOST_TEST(bitmap.bytes[0] == 0);
    BOOST_TEST(bitmap.bytes[1000] == 255);
    BOOST_TEST(bitmap.bytes[1001] == 0);
    BOOST_TEST(std::abs(bitmap.bytes[500] - 128) <= 1);
}

BOOST_AUTO_TEST_CASE(a_bright_part_does_not_leave_the_rest_in_the_dark) {
    Pixels pixels(100, 100);
    Random random(2);
    for (int row = 0; row < 100; ++row)
        for (int column = 0; column < 100; ++column)
            pixels(row, column) = static_cast<float>(random.uniform() + (column > 60 ? 20 : 0));
    const io::Contrast contrast = io::contrast_of(pixels);
    BOOST_TEST(contrast.gamma < 1.0);
    BOOST_TEST(contrast.gamma >= 0.45);
}

BOOST_AUTO_TEST_CASE(constant_and_empty_frames_have_a_contrast) {
    const io::Contrast constant = io::contrast_of(Pixels::Constant(4, 4, 7.0F));
    BOOST_TEST(constant.high > constant.low);
    const io::Contrast empty = io::contrast_of(Pixels(0, 0));
    BOOST_TEST(empty.high > empty.low);
}

BOOST_AUTO_TEST_CASE(an_outline_is_convex_and_holds_all_points) {
    Random random(9);
    std::vector<Eigen::Vector2d> points;
    for (int k = 0; k < 200; ++k) points.emplace_back(random.uniform(0, 10), random.uniform(0, 10));
    const std::vector<Eigen::Vector2d> hull = io::convex_outline(points, 1);
    BOOST_TEST(hull.size() >= 3U);
    for (std::size_t k = 0; k < hull.size(); ++k) {
        const Eigen::Vector2d side = hull[(k + 1) % hull.size()] - hull[k];
        for (const Eigen::Vector2d& point : points)
            BOOST_TEST(side[0] * (point - hull[k])[1] - side[1] * (point - hull[k])[0] > 0.0);
    }
    BOOST_TEST(io::convex_outline({{0, 0}, {1, 1}}, 1).empty());
    BOOST_TEST(io::convex_outline({{0, 0}, {1, 1}, {2, 2}, {3, 3}}, 1).empty());
}

BOOST_AUTO_TEST_CASE(figures_beside_each_other_keep_their_titles) {
    const io::Figure one = io::draw(energy_plot());
    io::CurvePlot second = energy_plot();
    second.name = "second";
    const io::Figure both = io::side_by_side("both", "both", {one, io::draw(second)}, {"first", "last"}, 300);
    const pugi::xml_document document = parsed(both);
    BOOST_TEST(count(document, "/svg/svg") == 2U);
    BOOST_TEST(shows(document, "first"));
    BOOST_TEST(shows(document, "last"));
    BOOST_TEST(both.width > 600.0);
}

BOOST_AUTO_TEST_SUITE_END()

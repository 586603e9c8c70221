// SPDX-License-Identifier: Apache-2.0
// Maps of a quantity: what is drawn where, in which colour.
#include <boost/test/unit_test.hpp>
#include <regex>
#include <sstream>
#include <string>

#include <pugixml.hpp>

#include "stembridge/base/errors.hpp"
#include "stembridge/io/field_map.hpp"

using namespace stembridge;
using namespace stembridge::io;

namespace {

FieldMap two_squares() {
    FieldMap map;
    map.name = "squares";
    map.caption = "Two squares";
    map.label = "value / Å";
    map.low = -2;
    map.high = 2;
    map.window = {0, 100, 0, 50};
    map.width = 200;
    for (const double x : {0.0, 50.0}) {
        ColoredArea area;
        area.corners.resize(2, 4);
        area.corners << x, x + 50, x + 50, x, 0, 0, 50, 50;
        area.value = x == 0 ? -2 : 2;
        map.areas.push_back(area);
    }
    return map;
}

std::vector<std::string> attributes(const Figure& figure, const std::string& element,
                                    const std::string& name) {
    pugi::xml_document document;
    BOOST_REQUIRE(document.load_string(figure.svg.c_str()));
    std::vector<std::string> values;
    for (const auto& found : document.select_nodes(("//" + element + "[@" + name + "]").c_str()))
        values.emplace_back(found.node().attribute(name.c_str()).value());
    return values;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_field_map)

BOOST_AUTO_TEST_CASE(areas_are_where_they_should_be_and_low_is_blue_and_high_is_red) {
    const Figure figure = draw(two_squares());
    BOOST_TEST(figure.width == 200);
    std::vector<std::array<int, 3>> colors;
    std::vector<std::string> paths;
    pugi::xml_document document;
    BOOST_REQUIRE(document.load_string(figure.svg.c_str()));
    for (const auto& found : document.select_nodes("//path[@fill-opacity]")) {
        const std::string fill = found.node().attribute("fill").value();
        colors.push_back({std::stoi(fill.substr(1, 2), nullptr, 16),
                          std::stoi(fill.substr(3, 2), nullptr, 16),
                          std::stoi(fill.substr(5, 2), nullptr, 16)});
        paths.emplace_back(found.node().attribute("d").value());
    }
    BOOST_REQUIRE(paths.size() == 2u);
    BOOST_TEST(paths[0] == "M0 0L100 0L100 100L0 100Z");
    BOOST_TEST(paths[1] == "M100 0L200 0L200 100L100 100Z");
    BOOST_TEST(colors[0][2] > 2 * colors[0][0]);
    BOOST_TEST(colors[1][0] > 2 * colors[1][2]);
}

BOOST_AUTO_TEST_CASE(values_beyond_the_range_take_the_colour_of_its_end) {
    FieldMap map = two_squares(), beyond = two_squares();
    beyond.areas[0].value = -17;
    beyond.areas[1].value = 1e9;
    BOOST_TEST(draw(map).svg == draw(beyond).svg);
}

BOOST_AUTO_TEST_CASE(y_runs_up_when_asked_for) {
    FieldMap map = two_squares();
    map.discs.push_back({{10, 5}, 2, 0, "#ffffff"});
    BOOST_TEST(attributes(draw(map), "circle", "cy").front() == "10");
    map.y_down = false;
    BOOST_TEST(attributes(draw(map), "circle", "cy").front() == "90");
    BOOST_TEST(attributes(draw(map), "circle", "r").front() == "4");
}

BOOST_AUTO_TEST_CASE(the_micrograph_lies_under_the_map_with_its_first_pixel_half_a_pixel_out) {
    FieldMap map = two_squares();
    Image image;
    image.pixels = Pixels::Random(50, 100);
    map.ground = image;
    const Figure figure = draw(map);
    BOOST_TEST(attributes(figure, "image", "x").front() == "-1");
    BOOST_TEST(attributes(figure, "image", "width").front() == "200");
    BOOST_TEST(attributes(figure, "image", "href").front().starts_with("data:image/png;base64,"));
    BOOST_TEST(figure.svg.find("<image") < figure.svg.find("fill-opacity"));
}

BOOST_AUTO_TEST_CASE(the_colour_bar_names_round_numbers_and_its_unit) {
    const Figure figure = draw(two_squares());
    BOOST_TEST(figure.svg.find("value / Å") != std::string::npos);
    BOOST_TEST(figure.svg.find(">\u22122<") != std::string::npos);
    BOOST_TEST(figure.svg.find(">2<") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(empty_windows_and_ranges_are_refused) {
    FieldMap map = two_squares();
    map.high = map.low;
    BOOST_CHECK_THROW(draw(map), InputError);
    map = two_squares();
    map.window = {1, 1, 0, 5};
    BOOST_CHECK_THROW(draw(map), InputError);
}

BOOST_AUTO_TEST_SUITE_END()

// SPDX-License-Identifier: Apache-2.0
// Configuration: values, units, and every mistake named with its place.
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <string>

#include "stembridge/base/errors.hpp"
#include "stembridge/base/units.hpp"
#include "stembridge/io/config.hpp"
#include "stembridge/io/text_file.hpp"
#include "support/support.hpp"

using namespace stembridge;
using namespace stembridge::io;
namespace fs = std::filesystem;

namespace {

Schema small_schema() {
    return {
        Key::text("name", "run", "name of the run"),
        Key::file("run.image", "", "the frame"),
        Key::quantity("relax.max_force", Dimension::force, "1e-3 eV/angstrom", "largest force at the end")
            .positive(),
        Key::integer("relax.max_steps", "500", "steps at most").at_least(1),
        Key::quantities("md.temperature", Dimension::temperature, "300 K", "one run each").at_least(0),
        Key::files("calculator.parameters", {"builtin"}, "builtin", "Slater-Koster files"),
        Key::integers("calculator.kpoints", 3, "[1, 1, 1]", "mesh").at_least(1),
        Key::number("calculator.charge", "0", "total charge, e"),
        Key::boolean("calculator.scc.enabled", "true", "self-consistent charges"),
        Key::number("calculator.scc.tolerance", "1e-6", "largest change of a charge, e").positive(),
        Key::choice("calculator.solver", {"auto", "dense", "pole-expansion"}, "auto", "what diagonalises"),
        Key::number("calculator.spin.unpaired", "", "unpaired electrons"),
        Key::table("calculator.spin.constants", "by element | hartree"),
        Key::rows("calculator.external.point_charges", 4, "", "x, y, z, q"),
        Key::texts("run.stages", "[\"detect\", \"build\"]", "stages to run"),
    };
}

Config parsed(const std::string& text) {
    return Config::parse(text, small_schema(), "run.toml");
}

/// Message of the InputError that a text gives, or "no error".
std::string message_for(const std::string& text) {
    try {
        parsed(text);
    } catch (const InputError& error) {
        return error.what();
    }
    return "no error";
}

bool contains(const std::string& text, const std::string& part) {
    const bool found = text.find(part) != std::string::npos;
    if (!found) BOOST_TEST_MESSAGE("'" << part << "' is not in: " << text);
    return found;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_config)

BOOST_AUTO_TEST_CASE(defaults_stand_where_nothing_is_given) {
    const Config config = parsed("");
    BOOST_TEST(config.quantity("relax.max_force") == 1e-3 * units::electronvolt_per_angstrom,
               boost::test_tools::tolerance(1e-15));
    BOOST_TEST(config.integer("relax.max_steps") == 500);
    BOOST_TEST(config.text("calculator.solver") == "auto");
    BOOST_TEST(config.texts("run.stages").size() == 2U);
    BOOST_TEST(!config.is_set("relax.max_force"));
    BOOST_TEST(config.has("relax.max_force"));
    BOOST_TEST(!config.has("calculator.spin.unpaired"));
    BOOST_TEST(config.where("relax.max_steps") == "relax.max_steps (default)");
}

BOOST_AUTO_TEST_CASE(inline_tables_dotted_keys_and_headers_are_the_same_thing) {
    for (const char* text : {"[calculator]\nscc = { tolerance = 1e-8, enabled = false }",
                             "[calculator.scc]\ntolerance = 1e-8\nenabled = false",
                             "calculator.scc.tolerance = 1e-8\ncalculator.scc.enabled = false",
                             "calculator = { scc = { tolerance = 1e-8, enabled = false } }"}) {
        const Config config = parsed(text);
        BOOST_TEST(config.number("calculator.scc.tolerance") == 1e-8);
        BOOST_TEST(!config.boolean("calculator.scc.enabled"));
        BOOST_TEST(config.is_set("calculator.scc.tolerance"));
    }
}

BOOST_AUTO_TEST_CASE(lists_tables_and_rows_are_read) {
    const Config config = parsed(
        "[calculator]\nkpoints = [6, 6, 1]\n"
        "[calculator.spin]\nconstants = { O = [[-0.0352, -0.0296], [-0.0296, -0.0278]], H = [[-0.07]] }\n"
        "[calculator.external]\npoint_charges = [[3.0, 0.5, 0.0, 0.4], [1, 2, 3, -1]]\n"
        "[md]\ntemperature = [\"300 K\", \"500 K\"]\n");
    BOOST_TEST(config.integers("calculator.kpoints") == (std::vector<std::int64_t>{6, 6, 1}),
               boost::test_tools::per_element());
    const auto& constants = config.table("calculator.spin.constants").table();
    BOOST_TEST(constants.size() == 2U);
    BOOST_TEST(constants.at("O").list().at(1).numbers().at(0) == -0.0296);
    BOOST_TEST(config.rows("calculator.external.point_charges").at(1).at(3) == -1.0);
    BOOST_TEST(config.quantities("md.temperature").at(1) == 500 * units::kelvin,
               boost::test_tools::tolerance(1e-15));
}

BOOST_AUTO_TEST_CASE(a_wrong_entry_of_a_free_table_is_named_with_its_place) {
    const Config config = parsed("[calculator.spin]\nconstants = { O = [[-0.0352, \"x\"]] }\n");
    const Value& row = config.table("calculator.spin.constants").table().at("O").list().at(0);
    try {
        row.numbers();
        BOOST_FAIL("no error");
    } catch (const InputError& error) {
        BOOST_TEST(contains(error.what(), "run.toml:2:"));
        BOOST_TEST(
            contains(error.what(), "calculator.spin.constants.O[0][1] is the text \"x\", expected a number"));
    }
}

BOOST_AUTO_TEST_CASE(mistakes_in_a_text_that_is_no_file_name_the_key_alone) {
    const auto told = [](const std::string& begin) {
        return [begin](const InputError& error) { return std::string(error.what()).starts_with(begin); };
    };
    BOOST_CHECK_EXCEPTION(Config::parse("[relax]\nmax_stesp = 1", small_schema(), ""), InputError,
                          told("unknown key relax.max_stesp"));
    BOOST_CHECK_EXCEPTION(Config::parse("[relax]\nmax_steps = 0", small_schema(), ""), InputError,
                          told("relax.max_steps is the integer 0"));
    BOOST_CHECK_EXCEPTION(Config::parse("relax = 1", small_schema(), ""), InputError,
                          told("relax is a table of keys"));
}

BOOST_AUTO_TEST_CASE(an_unknown_key_is_named_with_the_nearest_known_one) {
    const std::string message = message_for("[relax]\nmax_force = \"1e-3 eV/angstrom\"\nmax_stesp = 3\n");
    BOOST_TEST(contains(
        message, "run.toml:3:1: unknown key relax.max_stesp; the nearest known key is relax.max_steps"));
    // the right name in a wrong table
    BOOST_TEST(contains(message_for("[relax]\ntolerance = 1e-6\n"),
                        "nearest known key is calculator.scc.tolerance"));
    BOOST_TEST(contains(message_for("[calculater]\ncharge = 1\n"),
                        "unknown table [calculater]; the nearest known table is [calculator]"));
}

BOOST_AUTO_TEST_CASE(a_bare_number_where_a_unit_is_needed_is_an_error_that_names_units) {
    const std::string message = message_for("[relax]\nmax_force = 0.001\n");
    BOOST_TEST(contains(message, "run.toml:2:13: relax.max_force is the bare number 0.001"));
    // The unit of the default, not the first one that there is.
    BOOST_TEST(contains(message, "\"0.001 eV/angstrom\""));
    BOOST_TEST(contains(message, "eV/angstrom"));
    BOOST_TEST(contains(message_for("[relax]\nmax_force = \"0.001\"\n"), "no unit"));
    BOOST_TEST(contains(message_for("[relax]\nmax_force = \"1 eV\"\n"),
                        "relax.max_force: '1 eV' has the unit 'eV'"));
    BOOST_TEST(contains(message_for("[md]\ntemperature = [\"300 K\", 500]\n"),
                        "md.temperature[1] is the bare number"));
}

BOOST_AUTO_TEST_CASE(wrong_types_and_values_out_of_range_are_errors) {
    BOOST_TEST(contains(message_for("[relax]\nmax_steps = 0\n"),
                        "relax.max_steps is the integer 0, but must be at least 1"));
    BOOST_TEST(contains(message_for("[relax]\nmax_steps = 1.5\n"), "expected an integer"));
    BOOST_TEST(contains(message_for("[relax]\nmax_force = \"0 eV/angstrom\"\n"), "must be above 0"));
    BOOST_TEST(contains(message_for("[relax]\nmax_force = \"-1 eV/angstrom\"\n"), "must be above 0"));
    BOOST_TEST(contains(message_for("[relax]\nmax_force = true\n"), "is true, expected a text"));
    BOOST_TEST(
        contains(message_for("[calculator]\ncharge = \"1\"\n"), "is the text \"1\", expected a number"));
    BOOST_TEST(contains(message_for("[calculator]\ncharge = nan\n"), "expected a finite number"));
    BOOST_TEST(
        contains(message_for("[calculator]\nkpoints = [6, 6]\n"), "a list of 2, expected a list of 3"));
    BOOST_TEST(contains(message_for("[calculator]\nkpoints = [6, 6, 0]\n"), "calculator.kpoints[2]"));
    BOOST_TEST(contains(message_for("[calculator]\nkpoints = 6\n"), "is the integer 6, expected a list"));
    BOOST_TEST(contains(message_for("[calculator]\nscc = true\n"), "calculator.scc is a table of keys"));
    BOOST_TEST(contains(message_for("[calculator]\ncharge = 1979-05-27\n"), "date"));
    BOOST_TEST(contains(message_for("[calculator]\nparameters = []\n"), "at least one"));
    BOOST_TEST(contains(message_for("[calculator.external]\npoint_charges = [[1, 2, 3]]\n"),
                        "expected a list of 4"));
    const std::string choice = message_for("[calculator]\nsolver = \"pole\"\n");
    BOOST_TEST(contains(choice, "accepted: \"auto\", \"dense\", \"pole-expansion\""));
}

BOOST_AUTO_TEST_CASE(every_mistake_is_told_in_the_order_of_the_file) {
    const std::string message =
        message_for("[relax]\nmax_steps = 0\nmax_forc = 1\n[calculator]\nsolver = 3\ncharg = 1\n");
    const auto first = message.find("run.toml:2:");
    const auto second = message.find("run.toml:3:");
    const auto third = message.find("run.toml:5:");
    const auto fourth = message.find("run.toml:6:");
    BOOST_TEST(first < second);
    BOOST_TEST(second < third);
    BOOST_TEST(third < fourth);
    BOOST_TEST(fourth != std::string::npos);
}

BOOST_AUTO_TEST_CASE(toml_that_cannot_be_parsed_is_an_error_with_its_place) {
    BOOST_TEST(contains(message_for("[relax]\nmax_steps = = 3\n"), "run.toml:2:13:"));
    BOOST_TEST(contains(message_for("[relax]\nmax_steps = 3\nmax_steps = 4\n"), "run.toml:3:"));
    BOOST_TEST(message_for("name = \"cut of") != "no error");
}

BOOST_AUTO_TEST_CASE(options_of_the_command_line_win) {
    Config config = parsed("[calculator]\nkpoints = [2, 2, 2]\ncharge = 1\n");
    config.set("calculator.kpoints", "6 6 1", "--kpoints");
    BOOST_TEST(config.integers("calculator.kpoints").at(0) == 6);
    config.set("calculator.kpoints", "[3, 4, 5]", "--kpoints");
    BOOST_TEST(config.integers("calculator.kpoints").at(2) == 5);
    config.set("calculator.charge", "-2", "--charge");
    BOOST_TEST(config.number("calculator.charge") == -2.0);
    config.set("relax.max_force", "2e-3 eV/angstrom", "--max-force");
    BOOST_TEST(config.text("relax.max_force") == "2e-3 eV/angstrom");
    config.set("calculator.scc.enabled", "false", "--no-scc");
    BOOST_TEST(!config.boolean("calculator.scc.enabled"));
    BOOST_TEST(config.where("calculator.charge") == "--charge");
    BOOST_CHECK_THROW(config.set("calculator.charge", "two", "--charge"), InputError);
    BOOST_CHECK_THROW(config.set("calculator.kpoints", "6 6", "--kpoints"), InputError);
    BOOST_CHECK_THROW(config.set("calculator.kpoints", "[6, 6, 1", "--kpoints"), InputError);
    BOOST_CHECK_THROW(config.set("relax.max_force", "1 K", "--max-force"), InputError);
    BOOST_TEST(config.number("calculator.charge") == -2.0);
    config.set("calculator.spin.unpaired", "4", "--unpaired");
    for (const char* key : {"calculator.charge", "calculator.spin.unpaired"}) {
        config.unset(key);
        BOOST_TEST(!config.is_set(key));
    }
    BOOST_TEST(config.number("calculator.charge") == 0.0);  // its default
    BOOST_TEST(!config.has("calculator.spin.unpaired"));
}

BOOST_AUTO_TEST_CASE(relative_paths_count_from_the_file_and_options_from_the_current_folder) {
    const testing::TemporaryFolder folder;
    const fs::path file = folder.path() / "deep" / "run.toml";
    write_text_atomically(
        file,
        "[run]\nimage = \"../frame.png\"\n[calculator]\nparameters = [\"sk\", \"/abs\", \"builtin\"]\n");
    Config config = Config::read(file, small_schema());
    BOOST_TEST(config.file("run.image") == folder.path() / "frame.png");
    BOOST_TEST(config.folder() == folder.path() / "deep");
    const auto parameters = config.files("calculator.parameters");
    BOOST_TEST(parameters.at(0) == folder.path() / "deep" / "sk");
    BOOST_TEST(parameters.at(1) == fs::path("/abs"));
    BOOST_TEST(parameters.at(2) == fs::path("builtin"));
    config.set("run.image", "other.png", "IMAGE");
    BOOST_TEST(config.file("run.image") == fs::path("other.png"));
    BOOST_CHECK_THROW(Config::read(folder.path() / "absent.toml", small_schema()), FileError);
}

BOOST_AUTO_TEST_CASE(a_path_that_is_not_beside_the_file_is_looked_for_in_the_current_folder) {
    const testing::TemporaryFolder folder;
    const fs::path file = folder.path() / "run.toml";
    const fs::path here = fs::relative(fs::canonical("/proc/self/exe"), fs::current_path());
    write_text_atomically(file, "[run]\nimage = \"" + here.string() + "\"\n");
    BOOST_TEST(fs::equivalent(Config::read(file, small_schema()).file("run.image"), here));
}

BOOST_AUTO_TEST_CASE(the_resolved_text_gives_the_same_configuration_again) {
    Config config = parsed(
        "name = \"a \\\"quoted\\\" name\\n\"\n[run]\nimage = \"frame.png\"\n[relax]\nmax_force = \"2e-3 "
        "eV/angstrom\"\n"
        "[calculator]\ncharge = 1e22\nparameters = [\"sk\", \"builtin\"]\nscc = { tolerance = 3e-9 }\n"
        "[calculator.spin]\nunpaired = 2\nconstants = { O = [[-0.1, 2], [3.5, 4]], \"a b\" = { x = true } "
        "}\n");
    config.set("md.temperature", "[\"300 K\", \"5000 K\"]", "--temperature");
    const std::string resolved = config.resolved_toml();
    const Config again = Config::parse(resolved, small_schema(), "resolved", "/elsewhere");
    BOOST_TEST(again.resolved_toml() == resolved);
    BOOST_TEST(again.text("name") == "a \"quoted\" name\n");
    BOOST_TEST(again.number("calculator.charge") == 1e22);
    BOOST_TEST(again.number("calculator.scc.tolerance") == 3e-9);
    BOOST_TEST(again.quantities("md.temperature").size() == 2U);
    BOOST_TEST(again.file("run.image") == fs::absolute("frame.png"));
    BOOST_TEST(again.files("calculator.parameters").at(1) == fs::path("builtin"));
    BOOST_TEST(again.table("calculator.spin.constants").table().at("O").list().at(1).numbers().at(0) == 3.5);
    BOOST_TEST(!again.has("calculator.external.point_charges"));
    BOOST_TEST(contains(resolved, "# point_charges is left out"));
}

BOOST_AUTO_TEST_CASE(every_key_is_explained) {
    const std::string text = explain(small_schema());
    for (const Key& key : small_schema()) {
        const auto dot = key.path.rfind('.');
        BOOST_TEST(
            contains(text, "`" + (dot == std::string::npos ? key.path : key.path.substr(dot + 1)) + "`"));
    }
    BOOST_TEST(contains(text, "## [calculator.scc]"));
    BOOST_TEST(contains(text, "by element \\| hartree"));
    BOOST_TEST(contains(text, "`\"1e-3 eV/angstrom\"`"));
}

BOOST_AUTO_TEST_CASE(a_key_that_is_left_out_is_asked_for_with_its_meaning) {
    const Config config = parsed("");
    try {
        config.number("calculator.spin.unpaired");
        BOOST_FAIL("no error");
    } catch (const InputError& error) {
        BOOST_TEST(contains(error.what(), "calculator.spin.unpaired"));
        BOOST_TEST(contains(error.what(), "unpaired electrons"));
    }
}

BOOST_AUTO_TEST_CASE(mistakes_of_the_programmer_are_logic_errors) {
    const Config config = parsed("");
    BOOST_CHECK_THROW(config.number("no.such.key"), std::logic_error);
    BOOST_CHECK_THROW(config.integer("calculator.charge"), std::logic_error);
    BOOST_CHECK_THROW(Config({Key::integer("a", "x", "")}), std::logic_error);
    BOOST_CHECK_THROW(Config({Key::integer("a", "1", ""), Key::integer("a", "1", "")}), std::logic_error);
    BOOST_CHECK_THROW(Config({Key::integer("a", "1", ""), Key::integer("a.b", "1", "")}), std::logic_error);
}

BOOST_AUTO_TEST_CASE(damaged_texts_never_do_more_than_throw) {
    const std::string whole =
        "name = \"x\"\n[calculator]\nkpoints = [6, 6, 1]\nscc = { tolerance = 1e-6 }\n[calculator.spin]\n"
        "constants = { O = [[-0.0352, -0.0296], [-0.0296, -0.0278]] }\n[md]\ntemperature = [\"300 K\"]\n";
    for (std::size_t length = 0; length < whole.size(); ++length) {
        message_for(whole.substr(0, length));
        std::string changed = whole;
        changed[length] = static_cast<char>(changed[length] ^ 0x15);
        message_for(changed);
    }
}

BOOST_AUTO_TEST_SUITE_END()

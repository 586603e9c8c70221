// SPDX-License-Identifier: Apache-2.0
#include "stembridge/base/units.hpp"

#include <boost/test/unit_test.hpp>

#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"

using namespace stembridge;

BOOST_AUTO_TEST_SUITE(test_units)

BOOST_AUTO_TEST_CASE(quantities_are_converted_to_atomic_units) {
    BOOST_TEST(parse_quantity("0.529177210903 angstrom", Dimension::length) == 1.0,
               boost::test_tools::tolerance(1e-12));
    BOOST_TEST(parse_quantity("27.211386245988 eV", Dimension::energy) == 1.0,
               boost::test_tools::tolerance(1e-12));
    BOOST_TEST(parse_quantity("300 K", Dimension::temperature) == 9.5004e-4,
               boost::test_tools::tolerance(1e-4));
    BOOST_TEST(parse_quantity("1e-3 eV/angstrom", Dimension::force) == 1.9447e-5,
               boost::test_tools::tolerance(1e-4));
    BOOST_TEST(parse_quantity(" 2.5 ", Dimension::number) == 2.5);
}

BOOST_AUTO_TEST_CASE(the_letter_of_the_angstrom_is_its_name) {
    for (const char* text : {"0.104 \u00c5", "0.104 \u212b", "0.104\u00c5"})
        BOOST_TEST(parse_quantity(text, Dimension::length) ==
                   parse_quantity("0.104 angstrom", Dimension::length));
    BOOST_TEST(parse_quantity("1e-3 eV/\u00c5", Dimension::force) ==
               parse_quantity("1e-3 eV/angstrom", Dimension::force));
}

BOOST_AUTO_TEST_CASE(a_wrong_or_missing_unit_is_refused_and_the_accepted_ones_are_named) {
    for (const char* text : {"1", "1 fs", "one angstrom", "", "nan angstrom"}) {
        BOOST_CHECK_EXCEPTION(parse_quantity(text, Dimension::length), InputError, [](const InputError& e) {
            return std::string(e.what()).find("angstrom") != std::string::npos;
        });
    }
}

BOOST_AUTO_TEST_CASE(one_gigapascal_is_one_kilojoule_per_cubic_centimetre) {
    // 1 GPa = 1e9 J/m^3 = 6.2415e-3 eV/angstrom^3.
    const double ev_per_cubic_angstrom =
        units::electronvolt / (units::angstrom * units::angstrom * units::angstrom);
    BOOST_TEST(units::gigapascal / ev_per_cubic_angstrom == 6.241509e-3, boost::test_tools::tolerance(1e-6));
}

BOOST_AUTO_TEST_CASE(elements_are_found_by_symbol_and_number) {
    BOOST_TEST(atomic_number("Si") == 14);
    BOOST_TEST(element_symbol(24) == "Cr");
    for (int z = 1; z <= 94; ++z) BOOST_TEST(atomic_number(element_symbol(z)) == z);
    BOOST_TEST(atomic_mass(6) / units::dalton == 12.011, boost::test_tools::tolerance(1e-12));
    BOOST_CHECK_THROW(atomic_number("Xx"), InputError);
    BOOST_CHECK_THROW(element_symbol(0), InputError);
}

BOOST_AUTO_TEST_SUITE_END()

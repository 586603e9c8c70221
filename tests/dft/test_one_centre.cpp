// SPDX-License-Identifier: Apache-2.0
// On-site energies, Hubbard parameters and spin constants against published ones.
#include "stembridge/dft/one_centre.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "stembridge/base/errors.hpp"

using namespace stembridge;
using namespace stembridge::dft;

namespace {

OneCentre data_of(int z, const std::string& configuration, Relativity relativity,
                  const std::vector<std::pair<int, int>>& valence) {
    AtomOptions options;
    options.atomic_number = z;
    options.shells = parse_configuration(configuration);
    options.relativity = relativity;
    options.confinement = {Confinement::power(2)};  // must be ignored
    return one_centre(options, valence);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_one_centre)

BOOST_AUTO_TEST_CASE(hydrogen_agrees_with_3ob) {
    const OneCentre h = data_of(1, "1s1", Relativity::none, {{1, 0}});
    BOOST_TEST(std::abs(h.shells[0].energy + 0.23860040) < 2e-5);
    BOOST_TEST(std::abs(h.hubbard(0, 0) - 0.4195) < 5e-4);
    BOOST_TEST(std::abs(h.spin(0, 0) + 0.0717) < 5e-4);
    BOOST_TEST(std::abs(h.spin_polarization + 0.04106143) < 2e-5);
}

BOOST_AUTO_TEST_CASE(carbon_agrees_with_mio_and_quasinano) {
    const OneCentre c = data_of(6, "[He] 2s2 2p2", Relativity::none, {{2, 0}, {2, 1}});
    BOOST_TEST(std::abs(c.hubbard(0, 0) - 0.399218) < 5e-4);
    BOOST_TEST(std::abs(c.hubbard(1, 1) - 0.364696) < 5e-4);
    BOOST_TEST(std::abs(c.spin(0, 0) + 0.0306) < 5e-4);
    BOOST_TEST(std::abs(c.spin(0, 1) + 0.0251) < 5e-4);
    BOOST_TEST(std::abs(c.spin(1, 1) + 0.0227) < 5e-4);
    BOOST_TEST(c.spin(0, 1) == c.spin(1, 0));
    BOOST_TEST(std::abs(c.spin_polarization + 0.04547908) < 2e-5);
}

BOOST_AUTO_TEST_CASE(silicon_agrees_with_quasinano_and_pbc) {
    const OneCentre si = data_of(14, "[Ne] 3s2 3p2", Relativity::zora, {{3, 0}, {3, 1}});
    BOOST_TEST(std::abs(si.hubbard(0, 0) - 0.300005) < 5e-4);
    BOOST_TEST(std::abs(si.hubbard(1, 1) - 0.247841) < 5e-4);
    BOOST_TEST(std::abs(si.spin(0, 0) + 0.0196) < 5e-4);
    BOOST_TEST(std::abs(si.spin(0, 1) + 0.0150) < 5e-4);
    BOOST_TEST(std::abs(si.spin(1, 1) + 0.0144) < 5e-4);
}

BOOST_AUTO_TEST_CASE(chromium_agrees_with_quasinano) {
    const OneCentre cr = data_of(24, "[Ar] 3d5 4s1 4p0", Relativity::zora, {{4, 0}, {4, 1}, {3, 2}});
    BOOST_TEST(std::abs(cr.hubbard(0, 0) - 0.200284) < 5e-4);
    BOOST_TEST(std::abs(cr.hubbard(1, 1) - 0.123012) < 5e-4);
    BOOST_TEST(std::abs(cr.hubbard(2, 2) - 0.31219) < 5e-4);
    // Spin constants: an independent radial solver (dense splines), none are published.
    BOOST_TEST(std::abs(cr.spin(2, 2) + 0.01380) < 5e-4);
    BOOST_TEST(std::abs(cr.spin(0, 2) + 0.00432) < 5e-4);
    BOOST_TEST(std::abs(cr.spin(1, 2) + 0.00159) < 5e-4);
    BOOST_TEST(std::abs(cr.spin(0, 0) + 0.01528) < 5e-4);
    BOOST_TEST(std::abs(cr.spin(0, 1) + 0.01201) < 5e-4);
    BOOST_TEST(std::abs(cr.spin(1, 1) + 0.02348) < 5e-4);
    BOOST_TEST(std::abs(cr.spin_polarization + 0.1986) < 2e-4);
}

BOOST_AUTO_TEST_CASE(an_unbound_shell_is_refused_by_name) {
    try {
        data_of(14, "[Ne] 3s2 3p2 3d0", Relativity::none, {{3, 0}, {3, 1}, {3, 2}});
        BOOST_ERROR("Si 3d was accepted");
    } catch (const InputError& error) {
        BOOST_TEST(std::string(error.what()).find("3d") != std::string::npos);
        BOOST_TEST(std::string(error.what()).find("unbound") != std::string::npos);
    }
    BOOST_CHECK_THROW(data_of(6, "[He] 2s2 2p2", Relativity::none, {{3, 0}}), InputError);
}

BOOST_AUTO_TEST_SUITE_END()

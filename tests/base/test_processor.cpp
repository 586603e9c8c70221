// SPDX-License-Identifier: Apache-2.0
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <string>

#include "stembridge/base/processor.hpp"

using namespace stembridge;

BOOST_AUTO_TEST_SUITE(test_processor)

BOOST_AUTO_TEST_CASE(the_first_feature_that_is_needed_and_not_present_is_named) {
    const auto missing = [](unsigned needed, unsigned present) {
        const char* name = first_missing_processor_feature(needed, present);
        return std::string(name == nullptr ? "none" : name);
    };
    BOOST_TEST(missing(0, 0) == "none");
    BOOST_TEST(missing(0, ~0U) == "none");
    BOOST_TEST(missing(0b1011, 0b1011) == "none");
    BOOST_TEST(missing(0b0011, 0b1011) == "none");
    BOOST_TEST(missing(0b0001, 0b0000) == "sse3");
    BOOST_TEST(missing(0b1011, 0b1001) == "ssse3");
    BOOST_TEST(missing(~0U, 0b0111) == "sse4.2");
}

BOOST_AUTO_TEST_CASE(this_processor_has_what_this_build_needs_and_what_the_system_says) {
    BOOST_TEST((needed_processor_features & ~present_processor_features()) == 0U);
    std::string flags;
    std::ifstream processor("/proc/cpuinfo");
    while (std::getline(processor, flags) && !flags.starts_with("flags")) {
    }
    // Each feature alone: the name that the function gives it is a flag of the system where the bit is set.
    for (unsigned bit = 1; const char* name = first_missing_processor_feature(bit, 0); bit <<= 1) {
        std::string flag(name);
        if (flag == "sse3") flag = "pni";
        if (flag == "bmi") flag = "bmi1";
        for (char& c : flag)
            if (c == '.') c = '_';
        for (const char* kind : {"vbmi2", "vnni", "vpopcntdq"})
            if (flag == std::string("avx512") + kind) flag = std::string("avx512_") + kind;
        const bool listed = (flags + " ").find(" " + flag + " ") != std::string::npos;
        BOOST_TEST(((present_processor_features() & bit) != 0) == listed, name);
    }
}

BOOST_AUTO_TEST_CASE(this_build_needs_what_its_compiler_uses) {
#ifdef __AVX2__
    BOOST_TEST(first_missing_processor_feature(needed_processor_features, 0) != nullptr);
    bool found = false;
    for (unsigned bit = 1; const char* name = first_missing_processor_feature(bit, 0); bit <<= 1)
        found |= std::string(name) == "avx2" && (needed_processor_features & bit) != 0;
    BOOST_TEST(found);
#else
    for (unsigned bit = 1; const char* name = first_missing_processor_feature(bit, 0); bit <<= 1)
        BOOST_TEST((std::string(name) != "avx2" || (needed_processor_features & bit) == 0));
#endif
}

BOOST_AUTO_TEST_SUITE_END()
